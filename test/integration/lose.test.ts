/**
 * Fault type DataLoss on a real Redis: the outcome for limiters whose counts are gone. What is reported is compared with
 * what an outside observer finds in Redis.
 */
import { REDIS_ACL } from '@chaosdemo/redis-faults';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callsOf } from '../kit/calls-of.ts';
import { rows } from '../kit/nightly.ts';
import { NodesOnRedis, userLine } from '../kit/nodes-on-redis.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { type Admits, countsTo, drivenPods, eventsOf } from './support/planted-pods.ts';

const LIMIT = 10;
const LOSE = { type: 'DataLoss', duration: '4s' };

const counts = countsTo(LIMIT);

/** Counts elsewhere, and Redis has a copy: one for all pods. */
function elsewhere(): Admits {
  const used = new Map<string, number>();
  return async (caller, store) => {
    const count = (used.get(caller) ?? 0) + 1;
    used.set(caller, count);
    await store.set(`rl:${caller}`, count, 'EX', 120);
    return count <= LIMIT;
  };
}

/** Knows its callers, and takes a missing count for no limit. */
function opensWithout(): Admits {
  const known = new Set<string>();
  return async (caller, store) => {
    if (known.has(caller) && (await store.exists(`rl:${caller}`)) === 0) return true;
    known.add(caller);
    return await counts(caller, store);
  };
}

/** Loads its script once, and does not load it again. */
function byHash(): Admits {
  let hash: Promise<unknown> | undefined;
  return async (caller, store) => {
    hash ??= store.script('LOAD', `return redis.call('INCR', KEYS[1])`);
    return Number(await store.evalsha(String(await hash), 1, `rl:${caller}`)) <= LIMIT;
  };
}

let ground: NodesOnRedis;
beforeAll(async () => {
  const unlinks = `${REDIS_ACL} +unlink ~rl:demo-*`;
  ground = await NodesOnRedis.start(
    ['approximate'],
    [
      userLine('helpless', REDIS_ACL),
      userLine('unlinks', unlinks),
      userLine('operator', `${unlinks} +script|flush`),
    ],
  );
});
afterAll(() => ground?.stop());

const unlinked = (): Promise<number> => callsOf(ground.observer, 'unlink');

describe.skipIf(withoutRealTime)('a limiter whose counts are lost', () => {
  const LIMITERS = [
    { does: 'Forgets', admits: () => counts, scripts: false },
    { does: 'FailsClosed', admits: byHash, scripts: true },
    { does: 'Enforces', admits: elsewhere, scripts: false },
    { does: 'FailsOpen', admits: opensWithout, scripts: false },
  ];
  it.for(rows(LIMITERS, 2))('is found to do what it does: $does', ({ does, admits, scripts }, context) =>
    keepingTime(async () => {
      await ground.observer.set('rl:demo-other', 7);
      const fault = { ...LOSE, ...(scripts && { scripts }) };
      const user = scripts ? 'operator' : 'unlinks';
      const run = { admits: admits(), fault, limit: LIMIT, count: true, user };
      const { driver, key } = await drivenPods(ground, run);
      const before = await unlinked();
      const reading = await driver.leadThrough('outage', key, 4000);
      const report = driver.observed.faults['f'];
      expect(report).toMatchObject({ proof: 'Confirmed', endedAt: expect.any(Number) });
      expect(reading.shortfalls).toEqual([]);
      expect(reading.summary).toMatch(new RegExp(`^${does}`));
      await driver.perform({ kind: 'Diagnose', id: 'd', fault: 'f', scenario: 'outage', profile: 'rules' });
      expect(driver.observed.diagnoses['f/diagnosis/rules']?.diagnosis).toMatchObject({
        class: 'store-restarted',
        component: 'store',
        grade: { localization: 'Right', identification: 'Right', action: 'Right' },
      });
      expect(await unlinked()).toBe(before + 1);
      expect(await ground.observer.get('rl:demo-other')).toBe('7');
      const lost = eventsOf(driver).find((event) => event.kind === 'fault' && event.step === 'CountsLost');
      expect(lost).toMatchObject({ keys: 20 });
      const over = reading.measures['overAdmission'] ?? 0;
      if (does === 'Forgets') expect(over).toBe(LIMIT);
      else if (does === 'FailsOpen') expect(over).toBeGreaterThan(LIMIT);
      else expect(over).toBe(0);
      if (does === 'Enforces') expect(reading.detectedAt).toBeUndefined();
      else if (does !== 'FailsClosed') expect(reading.detectedAt).toEqual(expect.any(Number));
    })(context),
  );
});

const LONG = { ...LOSE, duration: '20s' };

it.each([
  ['helpless', false, /DataLoss needs: grant it "\+unlink ~rl:demo-\*" besides/],
  ['unlinks', true, /DataLoss needs: grant it "\+unlink ~rl:demo-\* \+script\|flush" besides/],
] as const)('a loss is not announced without the rights: %s', async (user, scripts, message) => {
  const before = await unlinked();
  const fault = { ...LONG, ...(scripts && { scripts }) };
  const { driver, key } = await drivenPods(ground, {
    admits: counts,
    fault,
    limit: LIMIT,
    count: true,
    user,
  });
  await expect(driver.prepare('outage', key)).rejects.toThrow(message);
  expect(await unlinked()).toBe(before);
});
