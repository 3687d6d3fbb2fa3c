import { createServer } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it, vi } from 'vitest';
import { podOf } from '../../../../test/fixtures/subjects/http/pods.ts';
import { runParts } from '../../../../test/fixtures/subjects/ratelimiter/run-parts.ts';
import { limiterSpec } from '../../../../test/kit/driven-limiter.ts';
import { type ChaosDemoSpec } from '../../../api/index.ts';
import { queryProvider, rulesProvider } from '../../../diagnosis/index.ts';
import type { EvidenceBundle } from '../../../evidence/index.ts';
import { dialTcp } from '../../http/dial.ts';
import { Attempt } from '../../run/attempt.ts';
import { closeToolkit, openToolkit } from '../../run/toolkit.ts';
import type { Toolkit } from '../controls/tools.ts';
import { limiterTools } from '../kind.ts';
import { ghostAllowing as bursts } from '../scenarios/ghost-allowing/index.ts';
import { rateLimiterOf } from '../spec/schema.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const never = new AbortController().signal;

/** A pod that admits so many requests of each caller, whatever the other pods do. */
async function podThatAdmits(most: number, urls: string[] = []): Promise<number> {
  const admitted = new Map<string, number>();
  const server = createServer(({ url = '' }, answer) => {
    urls.push(url);
    const before = admitted.get(url) ?? 0;
    admitted.set(url, before + 1);
    answer.writeHead(before < most ? 200 : 429).end();
  });
  return (await podOf(server)).pod.port;
}

const specOf = (limit: object): ChaosDemoSpec =>
  limiterSpec({ http: { path: '/$(key)' }, limit: { algorithm: 'TokenBucket', ...limit } }, [
    { name: 's', type: 'GhostAllowing', ghostAllowing: { multiplier: 3, trials: 1 } },
  ]);

/** A burst was sent to pods that admit so many each. */
async function attemptAt(
  limit: object,
  each: readonly number[],
  { urls, ...parts }: Partial<Pick<Toolkit, 'dial' | 'health'>> & { readonly urls?: string[] } = {},
): Promise<Attempt> {
  const ports = await Promise.all(each.map(async (most) => await podThatAdmits(most, urls)));
  const spec = specOf(limit);
  const [scenario] = spec.scenarios;
  if (!scenario) throw new TypeError('there is a scenario');
  const limiter = rateLimiterOf(spec);
  const toolkit = limiterTools(
    openToolkit(runParts(ports), limiter, () => undefined, never),
    limiter,
  );
  stops.push(async () => closeToolkit(toolkit));
  const plan = bursts.plan(scenario, limiter);
  const onFailure = (error: unknown): void => expect.unreachable(String(error));
  const attempt = new Attempt(bursts, plan, { ...toolkit, ...parts }, onFailure);
  await attempt.prepare('demo-x', never);
  const plannedAt = toolkit.now();
  const moment = { plannedAt, until: plannedAt + 60_000 };
  expect(await attempt.inject(moment, { refusal: () => undefined }, never)).toMatchObject({
    proof: 'Confirmed',
  });
  return attempt;
}

/** What is kept of such a burst. */
async function burstAt(...args: Parameters<typeof attemptAt>): Promise<EvidenceBundle> {
  const { bundle } = (await attemptAt(...args)).evidence() ?? {};
  if (!bundle) throw new Error('there is no evidence');
  return bundle;
}

/** The series that says what the limit allows: of a bucket, also what came back while the burst was answered. */
function limitsOf({ invariant, series }: EvidenceBundle): { first: number; last: number; judged: number } {
  const points = series.find(({ signal }) => signal === 'limit')?.points ?? [];
  const judged = invariant?.values.find(({ name }) => name === 'bound')?.value;
  return { first: points[0]?.[1] ?? -1, last: points.at(-1)?.[1] ?? -1, judged: judged ?? -2 };
}

it.each([
  ['each pod counts separately', [10, 10, 10]],
  ['the count is read and raised in two steps', [9, 11, 13]],
  ['the same race within a single pod', [33]],
  ['requests are counted after the work', [60, 60, 60]],
])('rules find the cause of a small bucket that is exceeded: %s', async (_, each) => {
  const bundle = await burstAt({ requests: 60, burst: 10 }, each);
  const { first, judged, last } = limitsOf(bundle);
  expect(first).toBe(10);
  expect(last).toBe(judged);
  expect(last).toBeLessThan(30);
  expect(await queryProvider(rulesProvider, bundle, never)).toMatchObject({
    answer: { anomaly: 'uncoordinated-admission', component: 'replicas' },
  });
});

const HEALTH = { health: { path: '/', timeoutMs: 1000 } };

it.each([
  ['wakes each node by looks at its health, which are no requests of the burst', HEALTH, 16],
  ['leaves that out over TLS', { ...HEALTH, dial: dialTcp }, 0],
  ['leaves that out without a path', {}, 0],
])('%s', async (_, parts, wakeUps) => {
  const urls: string[] = [];
  const { judged } = limitsOf(await burstAt({ requests: 10, burst: 15 }, [5, 5, 5], { ...parts, urls }));
  expect(judged).toBe(15);
  expect(urls.filter((url) => url === '/')).toHaveLength(3 * wakeUps);
  expect(urls.filter((url) => url.startsWith('/demo-x'))).toHaveLength(30);
});

it('a history that is released is not kept in memory, and its evidence is', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const attempt = await attemptAt({ requests: 60, burst: 10 }, [10, 10, 10]);
  const [kept] = [attempt.history].flatMap((history) => (history ? [new WeakRef(history)] : []));
  attempt.recorded()?.release();
  await vi.waitFor(() => {
    collectGarbage();
    expect(kept?.deref() === undefined).toBe(true);
  });
  expect(kept).toBeDefined();
  expect(attempt.evidence()?.bundle.series).not.toEqual([]);
});
