/** Both faults, from admission to restoring, on whatever Redis or Valkey is first in PATH, with the documented rights. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DrivenLimiter } from '../../kit/driven-limiter.ts';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { until } from '../../kit/until.ts';
import { Grounds, type LimiterOnRedis } from './support/limiter-on-redis.ts';

let grounds: Grounds;
let approximate: LimiterOnRedis;
let strict: LimiterOnRedis;
beforeAll(async () => {
  grounds = await Grounds.start([{ mode: 'approximate' }, { mode: 'strict' }]);
  [approximate, strict] = grounds.all as [LimiterOnRedis, LimiterOnRedis];
});
afterAll(() => grounds?.stop());

/** Has the fault of a scenario injected and watched to the end of its watch. */
async function carryOut(driver: DrivenLimiter, scenario: 'drift' | 'ghosts', key: string): Promise<void> {
  const about = { fault: 'f', scenario, fixture: key };
  driver.converge([{ kind: 'Watch', ...about }]);
  const report = await driver.inject(scenario, key, 4000);
  expect(report).toMatchObject(scenario === 'drift' ? { proof: 'Confirmed' } : {});
  const load = scenario === 'drift' ? [{ kind: 'Load', ...about } as const] : [];
  driver.converge([{ kind: 'Watch', ...about }, ...load]);
  await until(() => driver.observed.faults['f']?.endedAt, { what: 'the end of the fault' });
  driver.converge([{ kind: 'Watch', ...about }]);
  await until(() => driver.observed.readings['f']?.complete, { what: 'the end of the watch' });
}

/** Nothing is left: no limit of the demo, no pause. */
async function expectRestored(ground: LimiterOnRedis, driver: DrivenLimiter, key: string): Promise<void> {
  await driver.perform({ kind: 'Restore', id: 's', fixtures: [key], release: false });
  expect(driver.observed.restored['s']).toMatchObject({ ok: true, faultOver: true });
  const admin = await ground.admin();
  expect(await admin.hexists(`rl:limit:${key}`, 'limit')).toBe(0);
  admin.disconnect();
}

describe.skipIf(withoutRealTime)('a demo with no more than the documented rights', () => {
  it.concurrent(
    'detects counter drift on nodes that count for themselves',
    keepingTime(async () => {
      const runId = await approximate.admit();
      const { driver, key } = await approximate.prepared('drift');
      expect(driver.observed.prepared['f']?.marker).toBe(`${runId}/0`);
      await carryOut(driver, 'drift', key);
      expect(driver.observed.readings['f']).toMatchObject({ detectedAt: expect.any(Number) });
      await driver.perform({
        kind: 'Recover',
        id: 'r',
        fault: 'f',
        scenario: 'drift',
        fixture: key,
        settleMs: 3000,
      });
      expect(driver.observed.recoveries['f']).toMatchObject({
        measures: [{ name: 'underCounted', value: 0, unit: 'requests' }],
      });
      // A process that takes over later knows by the count of pauses that this one was sent.
      await driver.perform({
        kind: 'Inquire',
        id: 'i',
        fault: 'f',
        scenario: 'drift',
        marker: `${runId}/0`,
      });
      expect(driver.observed.orphans['f']).toBe('Injected');
      await expectRestored(approximate, driver, key);
    }),
  );

  it.concurrent(
    'finds nothing that could drift on pods that query Redis for each request',
    keepingTime(async () => {
      await strict.admit();
      const { driver, key } = await strict.prepared('drift');
      await carryOut(driver, 'drift', key);
      expect(driver.observed.readings['f']).toMatchObject({
        complete: true,
        shortfalls: [expect.stringMatching(/^no request was admitted/)],
      });
      expect(driver.observed.readings['f']?.detectedAt).toBeUndefined();
      await expectRestored(strict, driver, key);
    }),
  );

  it(
    'detects requests that are admitted beyond the limit',
    keepingTime(async () => {
      const { driver, key } = await approximate.prepared('ghosts');
      await carryOut(driver, 'ghosts', key);
      const { summary, detectedAt } = driver.observed.readings['f'] ?? {};
      expect(detectedAt).toBeGreaterThan(0);
      expect(summary).toMatch(/^>= 20\/10,/);
      await expectRestored(approximate, driver, key);
    }),
  );
});
