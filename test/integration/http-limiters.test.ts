/** Rate limiters that people run, unmodified and behind HTTP: what their callers get while Redis takes no writes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relativeToFirst } from '../../src/evidence/index.ts';
import type { DrivenLimiter } from '../kit/driven-limiter.ts';
import { leaksOf } from '../kit/leaks.ts';
import { rows } from '../kit/nightly.ts';
import { withoutRealTime } from '../kit/pace.ts';
import { SurveyedLimiters, stallOf } from './support/surveyed-limiter.ts';

const PAUSE_MS = 3000;
const SCENARIOS = stallOf('3s', '2s', '1s');

let limiters: SurveyedLimiters;
beforeAll(async () => {
  limiters = await SurveyedLimiters.start();
});
afterAll(() => limiters?.close());

/** One of these that fails open reached no Redis within its 200 ms while it started, and admitted all for ever. */
const SLOW_START = { TIMEOUT_MS: '600' };

const driven = async (name: string, variant: string) =>
  await limiters.drive(name, variant, {
    scenarios: SCENARIOS,
    ...(variant !== 'default' && { env: SLOW_START }),
  });

/** Its evidence shows the same outcomes, and nothing that identifies it. */
function expectSeen(driver: DrivenLimiter, behaviour: string, notAdmitted: number, key: string): void {
  const { bundle, pods = [] } = driver.evidence ?? {};
  if (!bundle) throw new Error('there is no evidence');
  const names = [key, '127.0.0.1', 'redis-0', ...pods.map(({ pod }) => pod)];
  expect(leaksOf(relativeToFirst(bundle), names)).toEqual([]);
  const during = (signal: string): number =>
    bundle.series
      .filter((series) => series.signal === signal)
      .reduce((sum, { points }) => {
        const until = (end: number): number => points.findLast(([at]) => at <= end)?.[1] ?? 0;
        // The pause ends some milliseconds late, and who gave up by then was turned away in it.
        return sum + until(PAUSE_MS + 100) - until(0);
      }, 0);
  const turnedAway = during('others-rejected') + during('others-errors') + during('others-timeouts');
  // The last ones before the end of the pause do not count there.
  expect(turnedAway).toBeGreaterThanOrEqual(notAdmitted);
  expect(turnedAway > 0).toBe(behaviour !== 'FailsOpen');
  expect(bundle.invariant).toMatchObject({ broken: true, values: [{}, {}, {}, {}] });
  expect(bundle.events.map(({ text }) => text).join()).toMatch(/write .*no answer/);
}

describe.skipIf(withoutRealTime)('callers of a limiter whose Redis takes no writes', () => {
  const LIMITERS = [
    ['express-rate-limit', 'default', 'Hangs'],
    ['express-rate-limit', 'ioredis-timeout-fail-open', 'FailsOpen'],
    ['rate-limiter-flexible', 'timeout', 'FailsClosed'],
  ] as const;
  it.each(rows(LIMITERS, 2))('%s (%s): %s', { timeout: 300_000 }, async (name, variant, behaviour) => {
    const { close, driver, key } = await driven(name, variant);
    try {
      const reading = await driver.leadThrough('outage', key, PAUSE_MS);
      expect(driver.observed.faults['f']).toMatchObject({ proof: 'Confirmed' });
      expect(reading).toMatchObject({ shortfalls: [] });
      expect(reading.summary).toMatch(new RegExp(`^${behaviour}`));
      expect(reading.detectedAt).toBeDefined();
      const measure = (of: string) => reading.measures[of] ?? 0;
      expect(measure('notAdmitted') > 0).toBe(behaviour !== 'FailsOpen');
      expect(measure('overAdmission') > 0).toBe(behaviour === 'FailsOpen');
      expectSeen(driver, behaviour, measure('notAdmitted'), key);
      const recovery = await driver.recover('outage', 2000);
      expect(recovery).toMatchObject({ report: { workedAt: expect.any(Number) } });
    } finally {
      await close();
    }
  });
});
