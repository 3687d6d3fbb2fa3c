/**
 * Recorded histories end over the API in memory as over a real API server. The same operator replays them on each: a
 * difference of the two shows in a verdict, in a status, in the evidence or in the check of its history.
 */

import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { corePath, type KubeApi } from '@chaosdemo/kube-runtime';
import { MemoryApi } from '@chaosdemo/kube-runtime/memory';
import { runningPod } from '@chaosdemo/testbed';
import { expect, it, onTestFinished } from 'vitest';
import type { ChaosDemo } from '../../src/api/index.ts';
import { admission } from '../../src/cli/api-server/admission.ts';
import { differences } from '../../src/cli/check.ts';
import { evidenceName, readRunEvidence } from '../../src/evidence/index.ts';
import { ENABLED } from '../../src/local/environment.ts';
import { limiterTarget } from '../../src/local/target.ts';
import { KINDS } from '../../src/subjects/index.ts';
import { limiterSetup } from '../../src/subjects/ratelimiter/history/setup.ts';
import { replay } from '../../src/subjects/run/replay.ts';
import { recordedIn, VARIANTS, variantOf } from '../fixtures/subjects/ratelimiter/recorded-variants.ts';
import { rateLimiterOf, redisRef } from '../kit/demo.ts';
import { Demos } from '../kit/demos.ts';
import { adminClient, bindTarget, operatorClient } from '../kit/operator-account.ts';
import { operateHere } from '../kit/operator-in-process.ts';
import { recordedLimiter, recordingsIn } from '../kit/recorded-limiter.ts';
import { until } from '../kit/until.ts';

const NAMESPACE = 'replayed';
/** A run that an API lets wait has no verdict by then. */
const MOST_MS = 180_000;
/** More at once miss the moments of their faults on a busy machine. */
const AT_ONCE = 20;
const FLAGS = [
  `--watch-namespaces=${NAMESPACE}`,
  '--leader-election=false',
  `--max-runs-per-namespace=${AT_ONCE}`,
];
const TARGET = limiterTarget({
  namespace: NAMESPACE,
  labels: { 'app.kubernetes.io/name': 'ratelimiter', 'pod-template-hash': 'first' },
  limiters: ['a', 'b', 'c'].map((name, i) => ({ name, host: `127.0.0.${i + 2}`, port: 8080 })),
  redis: { host: '127.0.0.5', port: 6379 },
  login: { username: 'operator', password: 'secret' },
});
/** Times, and how often a fault was planned: more often if the machine was busy at its moment. */
const UP_TO_THE_MACHINE = [
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'],
  [/\b1-([a-z-]+)-\d\b/g, '$1'],
  [/"retries":\d,/g, ''],
] as const;

const files = readdirSync(new URL('../histories/', import.meta.url)).flatMap(
  (file) => /^(.*)\.jsonl\.gz$/.exec(file)?.[1] ?? [],
);
/** By the name of their ChaosDemo: whole runs, and what they would be if something else had happened. */
const lines = new Map([
  ...files.map((file) => [file, recordedIn(file)] as const),
  ...[VARIANTS[0], VARIANTS[2], VARIANTS[4]].flatMap(([type, file, changes]) =>
    Object.values(changes).map(
      (change, i) => [`${type.toLowerCase()}-${i}`, variantOf(file, type, change)] as const,
    ),
  ),
]);

/** As little as a user writes: the rest is up to the API. Every fault is a Stall, as short as may be. */
function specOf(own: readonly string[]): object {
  const setups = own.flatMap((line) =>
    line.includes('"kind":"setup"') ? limiterSetup.parse(JSON.parse(line)) : [],
  );
  const [{ limiter }] = setups as [(typeof setups)[0]];
  const { body, headers, identity, method, path } = limiter.http;
  const { requests, window } = limiter.limit;
  return {
    rateLimiter: rateLimiterOf({
      http: { body, headers, identity, method, path },
      limit: { requests, window },
      redis: redisRef(identity === 'Key' ? { count: limiter.redis.count } : {}),
    }),
    scenarios: setups.map(({ scenario }) => {
      const { counterDrift, ghostAllowing, name, storeOutage, type } = scenario;
      const outage = shortened(storeOutage);
      const drift = shortened(counterDrift);
      return { name, type, countdown: '0s', ghostAllowing, counterDrift: drift, storeOutage: outage };
    }),
  };
}

function shortened(parameters: unknown): object | undefined {
  return parameters === undefined ? undefined : { ...parameters, fault: { duration: '1s' }, settle: '1s' };
}

async function register(client: KubeApi): Promise<void> {
  const namespace = `/api/v1/namespaces/${NAMESPACE}`;
  const post = async (path: string, body: unknown) => await client.request({ method: 'POST', path, body });
  const metadata = { name: NAMESPACE, labels: ENABLED };
  await post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
  for (const object of TARGET.objects as readonly { readonly kind: string }[])
    await post(`${namespace}/${object.kind.toLowerCase()}s`, object);
  for (const pod of TARGET.pods) {
    const { status } = runningPod(pod);
    await post(`${namespace}/pods`, runningPod(pod));
    const path = `${namespace}/pods/${pod.name}/status`;
    const contentType = 'application/merge-patch+json';
    await client.request({ method: 'PATCH', path, contentType, body: { status } });
  }
}

/** How each run ends, without {@link UP_TO_THE_MACHINE}. */
async function endsOver(admin: KubeApi, operator: KubeApi, limiter: ReturnType<typeof recordedLimiter>) {
  const running = operateHere(() => operator, FLAGS, [limiter]);
  onTestFinished(() => running.stop());
  const demos = new Demos(admin, NAMESPACE);
  await Promise.all([...lines].map(([name, own]) => demos.applySpec(name, specOf(own))));
  const ended = await until(
    async () => {
      const all = await demos.all();
      return all.every(({ status }) => status?.run?.completedAt !== undefined) && all;
    },
    { everyMs: 500, deadlineMs: MOST_MS, what: 'every verdict' },
  );
  const ends = await Promise.all(
    ended.map(async (demo) => [demo.metadata.name, await endOf(admin, demo)] as const),
  );
  return Object.fromEntries(ends);
}

async function endOf(client: KubeApi, { metadata, spec, status = {} }: ChaosDemo) {
  const name = evidenceName(metadata.name, 1);
  const path = corePath('configmaps', { namespace: NAMESPACE, name });
  const { evidence, history } = await until(
    async () => {
      const read = await readRunEvidence(await client.request({ method: 'GET', path }), undefined);
      return read.problem === undefined && read.evidence.complete && read;
    },
    { everyMs: 500, deadlineMs: MOST_MS, what: `the evidence of ${metadata.name}` },
  );
  const { leftOut, results, verdict } = evidence;
  const digest = createHash('sha256').update(history).digest('hex');
  const again = await replay(history.split('\n'), KINDS);
  const end = {
    spec,
    status,
    evidence: { leftOut, results, verdict, digest },
    check: { scenarios: again, differences: differences(again, status.scenarios ?? []) },
  };
  const text = UP_TO_THE_MACHINE.reduce((all, [of, to]) => all.replaceAll(of, to), JSON.stringify(end));
  return JSON.parse(text) as typeof end;
}

it('ends recorded runs in memory as over a real API server', async () => {
  const [memory, admin, operator] = [new MemoryApi(admission()), adminClient(), await operatorClient()];
  await Promise.all([memory, admin].map(register));
  await bindTarget(NAMESPACE);
  const limiter = recordedLimiter(
    new Map(
      await Promise.all([...lines].map(async ([name, own]) => [name, await recordingsIn(own)] as const)),
    ),
  );
  const [inMemory, real] = await Promise.all([
    endsOver(memory, memory, limiter),
    endsOver(admin, operator, limiter),
  ]);
  expect(inMemory).toEqual(real);
  const ends = Object.values(real);
  expect(ends.length).toBeGreaterThanOrEqual(40);
  expect(ends.flatMap(({ check }) => check.differences)).toEqual([]);
  const reasons = new Set(ends.map(({ status }) => status.run?.reason));
  expect([...reasons].toSorted()).toEqual([
    'BaselineViolated',
    'ExpectationsMet',
    'Inconclusive',
    'UnexpectedViolation',
  ]);
});
