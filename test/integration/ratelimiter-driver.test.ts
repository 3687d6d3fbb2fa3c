import { REDIS_ACL } from '@chaosdemo/redis-faults';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PodTarget } from '../../src/subjects/targets/target.ts';
import { callsOf } from '../kit/calls-of.ts';
import { DrivenLimiter, type DrivenOptions, limiterSpec } from '../kit/driven-limiter.ts';
import { NodesOnRedis, userLine } from '../kit/nodes-on-redis.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';

let ground: NodesOnRedis;
let approximate: PodTarget[];
const drivers: DrivenLimiter[] = [];

beforeAll(async () => {
  ground = await NodesOnRedis.start(['approximate'], [userLine('operator', REDIS_ACL)]);
  approximate = ground.nodes();
});

afterAll(() => ground?.stop());

afterEach(async () => {
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
  await until(() => ground.observer.call('CLIENT', 'UNPAUSE').then(() => true), {
    what: 'Redis to be released',
  });
});

const spec = limiterSpec({ limit: { requests: 10, window: '60s' }, health: { timeout: '5s' } }, [
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

function driverOf(changes: Partial<Omit<DrivenOptions, 'pods' | 'redis'>> = {}) {
  const driver = new DrivenLimiter({ pods: approximate, redis: ground.target('operator'), spec, ...changes });
  drivers.push(driver);
  return driver;
}

let run = 0;
/** A driver with a key that is set up, ready to stall writes. */
async function prepared() {
  const driver = driverOf();
  const key = `demo-test-${process.pid}-${(run += 1)}`;
  await driver.prepare('drift', key);
  return { driver, key };
}

/** How often Redis was released, by its own statistics. */
const releases = (): Promise<number> => callsOf(ground.observer, 'client|unpause');

/** What Redis holds of a key, read by the ground.observer. */
async function countedByRedis(key: string): Promise<number> {
  const counts = await ground.observer.hvals(`rl:count:${key}`);
  return counts.reduce((sum, value) => sum + Number(value), 0);
}

/** The counts that the nodes report over HTTP to the test. */
async function admittedByNodes(key: string): Promise<number> {
  const counters = await Promise.all(
    approximate.map(async ({ host, port }) => {
      const answer = await fetch(`http://${host}:${port}/counter?key=${key}`);
      return ((await answer.json()) as { admitted: number }).admitted;
    }),
  );
  return counters.reduce((sum, count) => sum + count, 0);
}

it.skipIf(withoutRealTime).for([
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
] as const)(
  'a driver prepares no pause where $what since the run began',
  async ({ check, observed }, context) => {
    await keepingTime(async () => {
      const driver = driverOf({ checkStore: async () => check });
      const key = `demo-unwelcome-${check.state}`;
      const effect = { kind: 'Prepare', id: 'p', fault: 'f', fixture: key } as const;
      await driver.perform({ ...effect, scenario: 'drift' });
      expect(driver.observed).toMatchObject({ ...observed, prepared: {} });
      // A burst does Redis no harm.
      await driver.perform({ ...effect, scenario: 'ghosts' });
      expect(driver.observed.prepared['f']).toMatchObject({ fixture: key });
    })(context);
  },
);

it.skipIf(withoutRealTime)(
  'a held write confirms the pause, counters drift, and all recovers',
  keepingTime(async () => {
    const { driver, key } = await prepared();
    const about = { fault: 'f', scenario: 'drift' };
    driver.converge([
      { kind: 'PollHealth', intervalMs: 250 },
      { kind: 'Watch', ...about },
    ]);
    const report = await driver.inject('drift', 4000);
    expect(report).toMatchObject({ proof: 'Confirmed' });
    expect(report?.endedAt).toBeUndefined();

    driver.converge([
      { kind: 'PollHealth', intervalMs: 250 },
      { kind: 'Watch', ...about },
      { kind: 'Load', ...about },
    ]);
    await until(() => driver.observed.readings['f']?.measures['drift'] === 30, {
      what: 'the drift to reach its ceiling',
    });
    expect([await admittedByNodes(key), await countedByRedis(key)]).toEqual([30, 0]);
    const reading = driver.observed.readings['f'];
    expect(reading?.detectedAt).toBeGreaterThanOrEqual(reading?.brokenAt ?? Infinity);
    expect(reading?.evidence.join('\n')).toContain('30 apart');

    await driver.perform({ kind: 'Recover', id: 'r', ...about, settleMs: 5000 });
    const recovery = driver.observed.recoveries['f'];
    expect(recovery).toMatchObject({ measures: { underCounted: 0 } });
    expect(recovery?.restedAt).toBeGreaterThanOrEqual(recovery?.workedAt ?? Infinity);
    expect(await countedByRedis(key)).toBe(30);
    await until(() => driver.observed.faults['f']?.endedAt, { what: 'the end of the pause to be seen' });
    expect(driver.observed.faults['f']?.message).not.toMatch(/before its planned end/);

    await driver.perform({ kind: 'Diagnose', id: 'd', fault: 'f', scenario: 'drift', profile: 'rules' });
    expect(driver.observed.diagnoses['f/diagnosis/rules']?.diagnosis).toMatchObject({
      class: 'store-writes-stalled',
      component: 'store',
      pod: 'redis-0',
      grade: { localization: 'Right', identification: 'Right', action: 'Right' },
    });

    await driver.perform({ kind: 'Restore', id: 's', fixtures: [key], release: false });
    expect(driver.observed.restored['s']).toMatchObject({ ok: true, faultOver: true });
  }),
);

describe.skipIf(withoutRealTime)('restore', () => {
  it(
    'releases a pause that an earlier process left behind',
    keepingTime(async () => {
      const { driver, key } = await prepared();
      expect(await driver.inject('drift', 30_000)).toMatchObject({ proof: 'Confirmed' });
      await driver.close();
      const next = driverOf({ mayBePaused: true });
      await next.perform({ kind: 'Restore', id: 's', fixtures: [key], release: true });
      expect(next.observed.restored['s']).toMatchObject({ ok: true, faultOver: true });
      expect(next.observed.restored['s']?.message).toContain('released the pause');
    }),
  );

  it(
    'does not release the pause of another client',
    keepingTime(async () => {
      const { driver, key } = await prepared();
      const untouched = driverOf();
      const before = await releases();
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
      expect(await releases()).toBe(before);
    }),
  );
});
