/**
 * A subject is a folder: a key-value service is put to the test by the same operator, with nothing else touched
 * than the list of subjects. Its processes, its API server and the operator's rights are real.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type KubeApi, KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { type ControlPlane, freePort, registerPods, Supervisor, startControlPlane } from '@chaosdemo/testbed';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { buildCrd } from '../../../src/api/crd.ts';
import type { ChaosDemo, ChaosDemoStatus } from '../../../src/api/index.ts';
import { ANNOTATIONS, ENABLED_LABEL } from '../../../src/api/index.ts';
import { readConfig } from '../../../src/operator/config.ts';
import { createLogger } from '../../../src/operator/log.ts';
import { runOperator } from '../../../src/operator/operator.ts';
import { SUBJECTS } from '../../../src/subjects/index.ts';
import { bindTarget, OPERATOR } from '../../kit/operator-account.ts';
import { keepingTime } from '../../kit/pace.ts';
import { until } from '../../kit/until.ts';
import { keyValue } from './key-value/index.ts';

/** The one line by which a subject is registered. */
const subjects = [...SUBJECTS, keyValue];

const manifests = fileURLToPath(new URL('../../../manifests/operator', import.meta.url));
const program = fileURLToPath(new URL('node.ts', import.meta.url));

let supervisor: Supervisor;
let controlPlane: ControlPlane;
let client: KubeApi;
let metricsPort: number;
const stop = new AbortController();
let operator: Promise<void>;

beforeAll(async () => {
  supervisor = new Supervisor();
  // A separate control plane: its CRD has more fields than the one that is committed.
  controlPlane = await startControlPlane({ binaries: inject('controlPlane').binaries, supervisor });
  const { kubectl } = controlPlane;
  await kubectl.run(['apply', '--server-side', '-k', manifests]);
  const crd = JSON.stringify(buildCrd(subjects.map(({ definition }) => definition.api)));
  await kubectl.run(['apply', '--server-side', '--force-conflicts', '-f', '-'], { input: crd });
  await kubectl.run(['wait', 'crd', '--all', '--for=condition=Established', '--timeout=120s']);
  const token = await kubectl.serviceAccountToken(OPERATOR.namespace, OPERATOR.serviceAccount);
  client = new KubeClient(
    loadKubeConfig(await controlPlane.kubeconfigFor('operator', token, OPERATOR.namespace)),
  );
  metricsPort = await freePort();
  const args = ['--http-host=127.0.0.1', `--http-port=${metricsPort}`, `--namespace=${OPERATOR.namespace}`];
  const config = readConfig(args, {});
  if (config === 'help') throw new Error('no configuration to run with');
  const logger = createLogger({ level: 'fatal', identity: 'test' });
  operator = runOperator(config, client, logger, stop.signal, subjects);
});

afterAll(async () => {
  stop.abort(new Error('the tests are over'));
  await operator;
  await client?.close();
  await supervisor?.close();
});

/** Three replicas in a namespace that takes part; gone when the test is. */
async function startService(namespace: string, mode: 'lenient' | 'strict'): Promise<void> {
  const { kubectl } = controlPlane;
  await kubectl.createNamespace(namespace, { [ENABLED_LABEL]: 'true' });
  await bindTarget(namespace, kubectl);
  const ips = ['127.0.0.61', '127.0.0.62', '127.0.0.63'];
  const port = await freePort(ips);
  const folder = supervisor.temporaryFolder(namespace);
  const processes = await Promise.all(
    ips.map((ip, i) => {
      const peers = ips.filter((other) => other !== ip).map((other) => `http://${other}:${port}`);
      return supervisor.start({
        name: `key-value-${i}`,
        command: process.execPath,
        args: [program, ip, String(port), mode, ...peers],
        logFile: join(folder, `${i}.log`),
      });
    }),
  );
  onTestFinished(async () => {
    await Promise.all(processes.map((owned) => owned.stop()));
  });
  for (const ip of ips) {
    await until(async () => (await fetch(`http://${ip}:${port}/health`)).ok, { what: `${ip} to answer` });
  }
  await registerPods(
    kubectl,
    processes.map(({ pid }, i) => ({
      namespace,
      name: `key-value-${i}`,
      labels: { app: 'key-value' },
      container: 'key-value',
      image: 'local/key-value:test',
      imageId: 'local/key-value@sha256:0',
      port: { name: 'http', number: port },
      ip: ips[i] ?? '',
      pid,
    })),
  );
}

const demo = (namespace: string, spec: object = {}): object => ({
  apiVersion: 'chaosdemo.dev/v1alpha1',
  kind: 'ChaosDemo',
  metadata: { name: 'demo', namespace },
  spec: {
    keyValue: { selector: { matchLabels: { app: 'key-value' } } },
    scenarios: [{ name: 'stale', type: 'StaleReplica', expect: 'Violated', countdown: '0s' }],
    pace: { dwell: '0s' },
    ...spec,
  },
});

async function statusOf(namespace: string): Promise<ChaosDemoStatus> {
  const object = await controlPlane.kubectl.json<ChaosDemo>(['-n', namespace, 'get', 'chaosdemo', 'demo']);
  return object.status ?? {};
}

const untilStatus = async (namespace: string, what: string, holds: (status: ChaosDemoStatus) => boolean) =>
  await until(
    async () => {
      const status = await statusOf(namespace);
      return holds(status) ? status : undefined;
    },
    { what },
  );

const ended = async (namespace: string): Promise<ChaosDemoStatus> =>
  await untilStatus(namespace, 'the verdict', ({ run }) => run?.completedAt !== undefined);

const conditionOf = ({ conditions = [] }: ChaosDemoStatus, type: string): string | undefined => {
  const found = conditions.find((condition) => condition.type === type);
  return found && `${found.status} ${found.reason}`;
};

describe('a key-value service', () => {
  it('serves stale reads if a write counts before every replica has it', async () => {
    const namespace = 'lenient';
    await startService(namespace, 'lenient');
    await controlPlane.kubectl.apply([demo(namespace)]);
    const status = await ended(namespace);
    expect(status.run).toMatchObject({ phase: 'Succeeded', reason: 'ExpectationsMet' });
    expect(status.chapters?.map(({ title }) => title)).toEqual(
      keyValue.definition.chapters({ scenarios: status.scenarios } as never).map(({ title }) => title),
    );
    const [scenario] = status.scenarios ?? [];
    expect(scenario).toMatchObject({ result: 'Violated', fault: { proof: 'Confirmed' } });
    const [measure] = scenario?.measures ?? [];
    expect(measure).toMatchObject({ name: 'behind', bound: 5, unit: 'writes' });
    expect(measure?.value).toBeGreaterThan(5);
    expect(conditionOf(status, 'StaleReplicaViolated')).toBe('True Violated');
    // What belongs to another subject is not spoken of.
    expect(status.conditions?.map(({ type }) => type)).not.toContain('CounterDriftViolated');

    const row = await controlPlane.kubectl.run(['-n', namespace, 'get', 'chaosdemo', '-o', 'wide']);
    expect(row).toMatch(/stale violated/);
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    expect(metrics).toContain('chaosdemo_faults_injected_total{type="StaleReplica"} 1');
    expect(metrics).toContain('chaosdemo_faults_injected_total{type="CounterDrift"} 0');
  });

  it(
    'passes a gate if a write is rejected unless every replica takes it',
    keepingTime(async () => {
      const namespace = 'strict';
      await startService(namespace, 'strict');
      const scenarios = [{ name: 'stale', type: 'StaleReplica', expect: 'Held', countdown: '0s' }];
      await controlPlane.kubectl.apply([demo(namespace, { scenarios })]);
      const status = await ended(namespace);
      expect(status.scenarios?.[0]).toMatchObject({ result: 'Held', fault: { proof: 'Confirmed' } });
      expect(status.run).toMatchObject({ phase: 'Succeeded' });
    }),
  );

  it('hears again at once when a run is aborted, and the object goes with its lock', async () => {
    const namespace = 'aborted';
    await startService(namespace, 'lenient');
    const staleReplica = { lasts: '60s' };
    const scenarios = [{ name: 'stale', type: 'StaleReplica', countdown: '0s', staleReplica }];
    await controlPlane.kubectl.apply([demo(namespace, { scenarios })]);
    await untilStatus(namespace, 'the fault', (now) => now.scenarios?.[0]?.fault?.proof === 'Confirmed');
    const annotation = `${ANNOTATIONS.abort}=1`;
    await controlPlane.kubectl.run(['-n', namespace, 'annotate', 'chaosdemo', 'demo', annotation]);
    const { run } = await ended(namespace);
    expect(run?.message).toContain('Restored');
    await controlPlane.kubectl.run(['-n', namespace, 'delete', 'chaosdemo', 'demo', '--timeout=60s']);
    await until(
      async () =>
        (await controlPlane.kubectl.json<{ items: [] }>(['-n', namespace, 'get', 'leases'])).items.length ===
        0,
      { what: 'the lock to be given back' },
    );
  });

  it('is rejected with what to do if the selector matches no pod', async () => {
    const namespace = 'no-pods';
    const { kubectl } = controlPlane;
    await kubectl.createNamespace(namespace, { [ENABLED_LABEL]: 'true' });
    await bindTarget(namespace, kubectl);
    await kubectl.apply([demo(namespace)]);
    const refused = await untilStatus(
      namespace,
      'the refusal',
      (status) => conditionOf(status, 'Stalled') === 'True NoSuchPods',
    );
    expect(refused.message).toContain('keyValue');
  });
});

describe('one CRD for two subjects', () => {
  it('takes a spec of each, and none that mixes them', async () => {
    const { kubectl } = controlPlane;
    await kubectl.createNamespace('mixed');
    const create = async (spec: object): Promise<string> =>
      await kubectl.run(['create', '--dry-run=server', '-f', '-'], {
        input: JSON.stringify(demo('mixed', spec)),
      });
    const rateLimiter = {
      selector: { matchLabels: { app: 'x' } },
      redis: { service: 'redis' },
    };
    await create({});
    const scenarios = [{ name: 'd', type: 'CounterDrift', expect: 'Violated' }];
    await create({ keyValue: undefined, rateLimiter, scenarios });
    await expect(create({ rateLimiter })).rejects.toThrow('only one of rateLimiter, keyValue');
    await expect(create({ keyValue: undefined })).rejects.toThrow('only one of rateLimiter, keyValue');
    await expect(create({ scenarios })).rejects.toThrow(/keyValue has .*StaleReplica only/);
  });
});
