/** Namespaces take turns at a real API server: a stranger's first status does not wait behind a flood of another's. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { resourcePath } from '@chaosdemo/kube-runtime';
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest';
import type { ChaosDemo } from '../../src/api/index.ts';
import type { ControlPlane } from '../../src/local/control-plane.ts';
import { writeKubeconfig } from '../../src/local/kubectl.ts';
import { Supervisor } from '../../src/local/supervisor.ts';
import { CHAOS_DEMO_TYPE } from '../../src/operator/adapters/kube-demo-api.ts';
import { adminKubectl, connectAsAdmin } from '../kit/control-plane.ts';
import { Demos } from '../kit/demos.ts';
import { prepareOperator } from '../kit/operator.ts';
import { startOperatorHere } from '../kit/operator-in-process.ts';
import { until } from '../kit/until.ts';

const FLOOD = 200;
/**
 * Of those so many may be before the stranger, whose turn comes at once: those that are under way then, and those that
 * begin next to it, 16 at a time (`--concurrency`).
 */
const MOST_BEFORE = 50;

const id = randomBytes(4).toString('hex');
const system = `neighbours-${id}-system`;
// Lists of the API server go by name, and this one would be the last.
const [crowd, stranger] = [`neighbours-${id}-a`, `neighbours-${id}-z`];
const supervisor = new Supervisor();
const client = connectAsAdmin({ connections: 16 });
const watching = new AbortController();
/** Namespaces of the objects in the order of their first statuses. */
const first: string[] = [];

/** Notes the first status of each object of ours, as the API server hands them out. */
async function watchFrom(resourceVersion: string): Promise<void> {
  const seen = new Set<string>();
  const path = resourcePath(CHAOS_DEMO_TYPE, {});
  const times = { timeoutMs: 600_000, idleTimeoutMs: 600_000 };
  const { signal } = watching;
  for await (const event of client.watch<ChaosDemo>({ path, query: { resourceVersion }, signal, ...times })) {
    if (event.type === 'BOOKMARK') continue;
    const { metadata, status } = event.object;
    if (metadata.namespace !== crowd && metadata.namespace !== stranger) continue;
    if (status?.phase === undefined || seen.has(metadata.uid)) continue;
    seen.add(metadata.uid);
    first.push(metadata.namespace);
  }
}

beforeAll(async () => {
  await prepareOperator(adminKubectl(), { system, namespaces: [crowd, stranger] });
});
afterAll(async () => {
  watching.abort();
  await client.close();
  await supervisor.close();
});

it('an object gets its first status in turn, despite 200 of another namespace', async () => {
  const [many, one] = [new Demos(client, crowd), new Demos(client, stranger)];
  for (let i = 0; i < FLOOD; i += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, j) => many.applySpec(`flood-${i + j}`, {})));
  }
  await one.applySpec('late', {});
  const { metadata } = await one.object('late');
  const watch = watchFrom(metadata.resourceVersion).catch((error: unknown) => {
    if (!watching.signal.aborted) throw error;
  });

  const { caFile, url } = inject('controlPlane');
  const folder = supervisor.temporaryFolder('neighbours');
  const kubeconfigFor: ControlPlane['kubeconfigFor'] = (file, token, of) =>
    writeKubeconfig(join(folder, file), { url, caFile }, token, of);
  const place = { system, namespaces: [crowd, stranger] };
  const operator = await startOperatorHere(place, { kubectl: adminKubectl(), kubeconfigFor });
  onTestFinished(() => operator.stop());
  await until(() => first.length === FLOOD + 1, { what: 'a status of every object' });
  expect(first.indexOf(stranger)).toBeLessThan(MOST_BEFORE);
  watching.abort();
  await watch;
});
