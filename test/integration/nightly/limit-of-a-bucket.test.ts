/** What evidence says of the limit of a token bucket whose full one admits other than comes back in a window. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mostAdmitted } from '../../../src/subjects/ratelimiter/limits/rate-limit.ts';
import { until } from '../../kit/until.ts';
import { CONFIGURED, SurveyedLimiters, stallOf } from '../support/surveyed-limiter.ts';

const BURST = 15;

let limiters: SurveyedLimiters;
beforeAll(async () => {
  limiters = await SurveyedLimiters.start();
});
afterAll(() => limiters?.close());

it('a bucket admits its size, and what it refills, while callers are measured', async () => {
  const scenarios = stallOf('1s', '1s');
  const { close, driver, key } = await limiters.drive('redis-rate', 'default', { scenarios, burst: BURST });
  try {
    await driver.prepare('outage', key);
    // Long enough for a request to come back: one does each six seconds.
    driver.converge([{ kind: 'Watch', fault: 'f', scenario: 'outage' }]);
    const limitSeen = () => {
      const { bundle } = driver.evidence ?? {};
      return bundle?.series.find(({ signal }) => signal === 'limit')?.points ?? [];
    };
    await until(() => (limitSeen().at(-1)?.[1] ?? 0) > BURST, {
      what: 'the bucket to be refilled by one',
      deadlineMs: 60_000,
    });
    const points = limitSeen();
    expect(points[0]).toEqual([expect.any(Number), BURST]);
    const bucket = {
      algorithm: 'TokenBucket',
      requests: CONFIGURED.limit,
      windowMs: CONFIGURED.windowSeconds * 1000,
      capacity: BURST,
    } as const;
    const from = points[0]?.[0] ?? 0;
    for (const [at, most] of points) {
      // Moments are whole milliseconds there.
      const bounds = [at - 1, at + 1].map((to) => mostAdmitted(bucket, { from, to, fresh: true }));
      expect(bounds).toContain(most);
    }
    const allowed =
      driver.evidence?.bundle.series.filter(({ signal }) => signal === 'requests-admitted') ?? [];
    const total = allowed.reduce((sum, one) => sum + (one.points.at(-1)?.[1] ?? 0), 0);
    expect(total).toBeLessThanOrEqual(points.at(-1)?.[1] ?? 0);
    expect(total).toBeGreaterThan(CONFIGURED.limit);
  } finally {
    await close();
  }
});
