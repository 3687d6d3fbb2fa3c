/** What is seen around real faults, as evidence: it gives nothing away, and says what the sender and the nodes counted. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type EvidenceBundle,
  type EvidenceSeries,
  evidenceBundle,
  relativeToFirst,
  type Signal,
} from '../../src/evidence/index.ts';
import { DrivenLimiter, limiterSpec } from '../kit/driven-limiter.ts';
import { leaksOf } from '../kit/leaks.ts';
import { NodesOnRedis } from '../kit/nodes-on-redis.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';

const PAUSE_MS = 2000;
const LIMIT = 10;

let ground: NodesOnRedis;
const drivers: DrivenLimiter[] = [];

beforeAll(async () => {
  ground = await NodesOnRedis.start();
});
afterAll(() => ground?.stop());
afterEach(async () => {
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
});

const spec = limiterSpec({ limit: { requests: LIMIT, window: '60s' }, health: { timeout: '5s' } }, [
  {
    name: 'first-story',
    type: 'CounterDrift',
    expect: 'Violated',
    counterDrift: { fault: { duration: `${PAUSE_MS}ms` }, requestsPerSecond: 60, settle: '1s' },
  },
  {
    name: 'second-story',
    type: 'GhostAllowing',
    expect: 'Violated',
    ghostAllowing: { multiplier: 2, trials: 3 },
  },
]);

let run = 0;
async function prepared(scenario: string) {
  const driver = new DrivenLimiter({ pods: ground.nodes(), redis: ground.target(), spec });
  drivers.push(driver);
  const key = `demo-evidence-${process.pid}-${(run += 1)}`;
  await driver.prepare(scenario, key);
  const about = { fault: 'f', scenario, fixture: key };
  return { driver, key, about };
}

const of = (bundle: EvidenceBundle, signal: Signal): EvidenceSeries[] =>
  bundle.series.filter((series) => series.signal === signal);
/** Over all components, at the end. */
const total = (bundle: EvidenceBundle, signal: Signal): number =>
  of(bundle, signal).reduce((sum, { points }) => sum + (points.at(-1)?.[1] ?? 0), 0);
const highest = (bundle: EvidenceBundle, signal: Signal): number =>
  Math.max(...of(bundle, signal).flatMap(({ points }) => points.map(([, value]) => value)));

function expectNothingGivenAway(bundle: EvidenceBundle, key: string): void {
  const names = [
    'first-story',
    'second-story',
    'redis-0',
    key,
    ground.redis.host,
    ...ground.nodes().map(({ name }) => name),
  ];
  expect(leaksOf(relativeToFirst(bundle), names)).toEqual([]);
  expect(evidenceBundle.safeParse(bundle).error).toBeUndefined();
  // The check itself sees what it is to see.
  expect(leaksOf(JSON.stringify(bundle).replace('store', 'redis-0'), names)).not.toEqual([]);
}

describe.skipIf(withoutRealTime)('evidence', () => {
  it(
    'evidence of stalled writes has the waiting write, reads, counts and outcomes',
    keepingTime(async () => {
      const { about, driver, key } = await prepared('first-story');
      const watching = [
        { kind: 'PollHealth', intervalMs: 250 },
        { kind: 'Watch', ...about },
      ] as const;
      driver.converge(watching);
      const writesSeen = () => driver.evidence && of(driver.evidence.bundle, 'write-latency')[0]?.points;
      await until(() => (writesSeen()?.length ?? 0) > 3, { what: 'writes to be seen before the fault' });
      const report = await driver.inject('first-story', key, PAUSE_MS);
      expect(report).toMatchObject({ proof: 'Confirmed' });
      driver.converge([...watching, { kind: 'Load', ...about }]);
      await until(() => driver.observed.readings['f']?.complete, { what: 'the end of the watch' });
      const { bundle, originMs, pods } = driver.evidence ?? {};
      if (!bundle || originMs === undefined) throw new Error('there is no evidence');

      expectNothingGivenAway(bundle, key);
      expect(pods).toEqual([
        ...ground.nodes().map(({ name }, i) => ({ component: `replica-${i + 1}`, pod: name })),
        { component: 'store', pod: 'redis-0' },
      ]);
      expect(originMs).toBe(report?.startedAt);
      const measures = new Map(
        driver.observed.readings['f']?.measures.map(({ name, value }) => [name, value]),
      );
      expect(total(bundle, 'requests-sent')).toBe(measures.get('requests'));
      expect(total(bundle, 'requests-admitted')).toBe(measures.get('admitted'));
      expect(total(bundle, 'requests-rejected')).toBe(measures.get('rejected'));
      expect(total(bundle, 'requests-errors')).toBe(measures.get('errors'));
      expect(total(bundle, 'count-stored')).toBe(measures.get('admitted'));
      // As long as the fault, of which a part passed before the write was sent.
      const [writes] = of(bundle, 'write-latency');
      expect(highest(bundle, 'write-latency')).toBeGreaterThan(PAUSE_MS * 0.8);
      expect(highest(bundle, 'write-outstanding')).toBeGreaterThan(PAUSE_MS / 2);
      const before = writes?.points.filter(([at]) => at < 0) ?? [];
      expect(before.length).toBeGreaterThan(2);
      // Each of them is faster than the one that waits in the fault.
      expect(Math.max(...before.map(([, took]) => took))).toBeLessThan(highest(bundle, 'write-latency'));
      const during = of(bundle, 'read-latency')[0]?.points.filter(([at]) => at > 300 && at < PAUSE_MS - 300);
      expect(during?.length).toBeGreaterThan(2);
      expect(bundle.events.map(({ component, text }) => `${component}: ${text}`)).toEqual([
        expect.stringMatching(/^store: .*no answer .* \d+ ms$/),
        expect.stringMatching(/^store: .*accepted after \d+ ms$/),
      ]);
      expect(bundle.invariant).toMatchObject({
        formula: 'sum(requests-admitted) - count-stored <= bound',
        broken: true,
        values: [
          { id: 'v1', name: 'sum(requests-admitted) - count-stored', value: measures.get('drift') },
          { id: 'v2', name: 'bound' },
        ],
      });
    }),
  );

  it(
    'evidence of a burst has arrivals, answers by pod, and a healthy store',
    keepingTime(async () => {
      const { about, driver, key } = await prepared('second-story');
      driver.converge([{ kind: 'Watch', ...about }]);

      expect(await driver.inject('second-story', key, 5000)).toMatchObject({ proof: 'Confirmed' });
      await until(() => driver.observed.readings['f']?.complete, { what: 'the end of the watch' });
      const { bands, bundle } = driver.evidence ?? {};
      if (!bundle) throw new Error('there is no evidence');

      expectNothingGivenAway(bundle, key);
      const sent = 2 * LIMIT;
      for (const signal of ['arrivals', 'requests-sent'] as const) {
        expect([signal, total(bundle, signal)]).toEqual([signal, sent]);
      }
      // On a busy machine a pod may learn of the others' counts within the burst.
      const admitted = total(bundle, 'requests-admitted');
      expect(admitted).toBeGreaterThan(LIMIT);
      const arrivals = of(bundle, 'arrivals').flatMap(({ points }) => points.map(([at]) => at));
      expect(Math.min(...arrivals)).toBeGreaterThanOrEqual(0);
      expect(bundle.events.filter(({ component }) => component === 'client')).toHaveLength(3);
      expect(bands?.filter(({ kind }) => kind === 'burst')).toHaveLength(3);
      expect(bundle.events.filter(({ component }) => component === 'store')).toEqual([]);
      expect(bundle.invariant).toMatchObject({
        broken: true,
        values: [{ value: admitted }, { value: LIMIT }],
      });
      expect(of(bundle, 'write-latency')[0]?.points.length).toBeGreaterThan(0);
    }),
  );
});
