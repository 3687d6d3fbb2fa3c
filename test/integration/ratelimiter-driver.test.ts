import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ChaosDemoSpec } from '../../src/api/index.ts';
import { type PodTarget, REDIS_ACL } from '../../src/subjects/ratelimiter/index.ts';
import { DrivenLimiter, type DrivenOptions, limiterSpec } from '../kit/driven-limiter.ts';
import { NodesOnRedis, userLine } from '../kit/nodes-on-redis.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';

let ground: NodesOnRedis;
let approximate: PodTarget[];
let strict: PodTarget[];
const drivers: DrivenLimiter[] = [];

beforeAll(async () => {
  ground = await NodesOnRedis.start(
    ['approximate', 'strict'],
    [userLine('operator', REDIS_ACL), userLine('helpless', REDIS_ACL.replace('+client|pause ', ''))],
  );
  [approximate, strict] = [ground.nodes('approximate'), ground.nodes('strict')];
});

afterAll(() => ground?.stop());

afterEach(async () => {
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
  await until(() => ground.observer.call('CLIENT', 'UNPAUSE').then(() => true), {
    what: 'Redis to be released',
  });
});

function spec(health: object = {}): ChaosDemoSpec {
  return limiterSpec({ limit: { requests: 10, window: '60s' }, health: { timeout: '5s', ...health } }, [
    {
      name: 'drift',
      type: 'CounterDrift',
      expect: 'Violated',
      counterDrift: { fault: { duration: '2s' }, requestsPerSecond: 60, settle: '1s' },
    },
    {
      name: 'ghosts',
      type: 'GhostAllowing',
      expect: 'Violated',
      ghostAllowing: { multiplier: 2, trials: 3 },
    },
  ]);
}

type Changes = Partial<Omit<DrivenOptions, 'pods' | 'redis'>> & { readonly user?: string };

function driverOn(nodes: readonly PodTarget[], { user = 'operator', ...changes }: Changes = {}) {
  const driver = new DrivenLimiter({ pods: nodes, redis: ground.target(user), spec: spec(), ...changes });
  drivers.push(driver);
  return driver;
}

let run = 0;
/** A driver with a key that is set up, ready for a fault. */
async function prepared(nodes: readonly PodTarget[], scenario: 'drift' | 'ghosts', changes: Changes = {}) {
  const driver = driverOn(nodes, changes);
  const key = `demo-test-${process.pid}-${(run += 1)}`;
  await driver.prepare(scenario, key);
  return { driver, key };
}

/** How often Redis got the command, by its own statistics. */
async function calls(command: 'pause' | 'unpause'): Promise<number> {
  const found = new RegExp(`cmdstat_client\\|${command}:calls=(\\d+)`).exec(
    await ground.observer.info('commandstats'),
  );
  return Number(found?.[1] ?? 0);
}

/** What Redis holds of a key, read by the ground.observer. */
async function countedByRedis(key: string): Promise<number> {
  const counts = await ground.observer.hvals(`rl:count:${key}`);
  return counts.reduce((sum, value) => sum + Number(value), 0);
}

/** The counts that the nodes report over HTTP to the test. */
async function admittedByNodes(nodes: readonly PodTarget[], key: string): Promise<number> {
  const counters = await Promise.all(
    nodes.map(async ({ host, port }) => {
      const answer = await fetch(`http://${host}:${port}/counter?key=${key}`);
      return ((await answer.json()) as { admitted: number }).admitted;
    }),
  );
  return counters.reduce((sum, count) => sum + count, 0);
}

describe.skipIf(withoutRealTime)('baseline and preparation', () => {
  it.for([
    {
      what: 'others have come to its Redis',
      check: { state: 'refused', admission: { state: 'refused', reason: 'SharedRedis', message: 'shared' } },
      observed: { admission: { state: 'refused', reason: 'SharedRedis' }, prepareFailures: {} },
    },
    {
      what: 'its Redis was restarted',
      check: { state: 'restarted' },
      observed: { prepareFailures: { f: expect.stringMatching(/redis-0 .*restarted.*run again/) } },
    },
  ] as const)('prepares no pause where $what since the run began', async ({ check, observed }, context) => {
    await keepingTime(async () => {
      const driver = driverOn(approximate, { checkStore: async () => check });
      const key = `demo-unwelcome-${check.state}`;
      const effect = { kind: 'Prepare', id: 'p', fault: 'f', fixture: key, sequence: 1 } as const;
      await driver.perform({ ...effect, scenario: 'drift' });
      expect(driver.observed).toMatchObject({ ...observed, prepared: {} });
      // A burst does Redis no harm.
      await driver.perform({ ...effect, scenario: 'ghosts' });
      expect(driver.observed.prepared['f']).toMatchObject({ fixture: key });
    })(context);
  });
});

describe.skipIf(withoutRealTime)('the pause', () => {
  it(
    'a held write confirms the pause, counters drift, and all recovers',
    keepingTime(async () => {
      const { driver, key } = await prepared(approximate, 'drift');
      const about = { fault: 'f', scenario: 'drift', fixture: key };
      driver.converge([
        { kind: 'PollHealth', intervalMs: 250 },
        { kind: 'Watch', ...about },
      ]);
      const report = await driver.inject('drift', key, 4000);
      expect(report).toMatchObject({ proof: 'Confirmed' });
      expect(report?.endedAt).toBeUndefined();

      driver.converge([
        { kind: 'PollHealth', intervalMs: 250 },
        { kind: 'Watch', ...about },
        { kind: 'Load', ...about },
      ]);
      await until(() => driver.observed.readings['f']?.measures[0]?.value === 30, {
        what: 'the drift to reach its ceiling',
      });
      expect([await admittedByNodes(approximate, key), await countedByRedis(key)]).toEqual([30, 0]);
      const reading = driver.observed.readings['f'];
      expect(reading?.detectedAt).toBeGreaterThanOrEqual(reading?.brokenAt ?? Infinity);
      expect(reading?.evidence.join('\n')).toContain('30 apart');

      await driver.perform({ kind: 'Recover', id: 'r', ...about, settleMs: 5000 });
      const recovery = driver.observed.recoveries['f'];
      expect(recovery).toMatchObject({ measures: [{ name: 'underCounted', value: 0, unit: 'requests' }] });
      expect(recovery?.restedAt).toBeGreaterThanOrEqual(recovery?.workedAt ?? Infinity);
      expect(await countedByRedis(key)).toBe(30);
      await until(() => driver.observed.faults['f']?.endedAt, { what: 'the end of the pause to be seen' });
      expect(driver.observed.faults['f']?.message).not.toMatch(/before its planned end/);

      await driver.perform({ kind: 'Diagnose', id: 'd', fault: 'f', scenario: 'drift', profile: 'rules' });
      expect(driver.observed.diagnoses['f/rules']?.diagnosis).toMatchObject({
        class: 'store-writes-stalled',
        component: 'store',
        pod: 'redis-0',
        grade: { localization: 'Right', identification: 'Right', action: 'Right' },
      });

      await driver.perform({ kind: 'Restore', id: 's', fixtures: [key], release: false });
      expect(driver.observed.restored['s']).toMatchObject({ ok: true, faultOver: true });
    }),
  );
});

describe.skipIf(withoutRealTime)('restore', () => {
  it(
    'releases a pause that an earlier process left behind',
    keepingTime(async () => {
      const { driver, key } = await prepared(approximate, 'drift');
      expect(await driver.inject('drift', key, 30_000)).toMatchObject({ proof: 'Confirmed' });
      await driver.close();
      const next = driverOn(approximate, { mayBePaused: true });
      await next.perform({ kind: 'Restore', id: 's', fixtures: [key], release: true });
      expect(next.observed.restored['s']).toMatchObject({ ok: true, faultOver: true });
      expect(next.observed.restored['s']?.message).toContain('released the pause');
    }),
  );

  it(
    'does not release the pause of another client',
    keepingTime(async () => {
      const { driver, key } = await prepared(approximate, 'drift');
      const untouched = driverOn(approximate);
      const before = await calls('unpause');
      for (const [each, keys] of [
        [driver, [key]],
        [untouched, []],
      ] as const) {
        await ground.observer.call('CLIENT', 'PAUSE', '2000', 'WRITE');
        await each.perform({ kind: 'Restore', id: 's', fixtures: [...keys], release: true });
        // It waits for the end of that pause instead.
        expect(each.observed.restored['s']).toMatchObject({ ok: true, faultOver: true });
        expect(each.observed.restored['s']?.message).not.toContain('released');
      }
      expect(await calls('unpause')).toBe(before);
    }),
  );
});

describe.skipIf(withoutRealTime)('the burst', () => {
  it(
    'is admitted twice over by approximate nodes, as sender, nodes and Redis agree',
    keepingTime(async () => {
      const { driver, key } = await prepared(approximate, 'ghosts');
      driver.converge([{ kind: 'Watch', fault: 'f', scenario: 'ghosts', fixture: key }]);
      const report = await driver.inject('ghosts', key, 5000);
      expect(report).toMatchObject({ proof: 'Confirmed' });
      await until(() => driver.observed.readings['f']?.detectedAt, { what: 'the detection' });
      const reading = driver.observed.readings['f'];
      expect(reading?.shortfalls).toEqual([]);
      expect(reading?.measures[0]).toEqual({
        name: 'admitted',
        value: 20,
        bound: 10,
        unit: 'requests',
        atLeast: true,
      });
      expect(reading?.detectedAt).toBeGreaterThanOrEqual(reading?.brokenAt ?? Infinity);
      await until(async () => (await countedByRedis(key)) === 20, { what: 'Redis to hold all counts' });
      expect(await admittedByNodes(approximate, key)).toBe(20);

      await driver.perform({ kind: 'Diagnose', id: 'd', fault: 'f', scenario: 'ghosts', profile: 'rules' });
      expect(driver.observed.diagnoses['f/rules']?.diagnosis).toMatchObject({
        class: 'uncoordinated-admission',
        component: 'replicas',
        grade: { localization: 'Right', identification: 'Right', action: 'Right' },
      });
    }),
  );

  it(
    'is admitted up to the limit by strict nodes, with a whole proof',
    keepingTime(async () => {
      const { driver, key } = await prepared(strict, 'ghosts');
      driver.converge([{ kind: 'Watch', fault: 'f', scenario: 'ghosts', fixture: key }]);
      const report = await driver.inject('ghosts', key, 5000);
      expect(report).toMatchObject({ proof: 'Confirmed' });
      const end = (report?.endedAt ?? 0) + 1000;
      await until(() => (driver.observed.readings['f']?.watchedUntil ?? 0) >= end, {
        what: 'the watch to end',
      });
      const reading = driver.observed.readings['f'];
      expect(reading).toMatchObject({ summary: '10/10, 0/3 trials', complete: true, shortfalls: [] });
      expect(reading?.detectedAt).toBeUndefined();
      expect(await countedByRedis(key)).toBe(10);
    }),
  );
});
