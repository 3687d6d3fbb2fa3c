/** A limiter that people run, as it comes: it knows its callers by the source address of the connection alone. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { queryProvider, rulesProvider } from '../../src/diagnosis/index.ts';
import { relativeToFirst } from '../../src/evidence/index.ts';
import { type DrivenLimiter, never } from '../kit/driven-limiter.ts';
import { leaksOf } from '../kit/leaks.ts';
import { withoutRealTime } from '../kit/pace.ts';
import { SurveyedLimiters, stallOf } from './support/surveyed-limiter.ts';

const PAUSE_MS = 2000;
const LIMIT = 20;
const SCENARIOS = stallOf('2s', '1s');

let limiters: SurveyedLimiters;
beforeAll(async () => {
  limiters = await SurveyedLimiters.start();
});
afterAll(() => limiters?.close());

/** Three processes of it, and a driver of a run on them. */
async function start(healthPath = '/healthz') {
  const http = {
    identity: 'SourceAddress',
    path: '/',
    admittedStatuses: [200],
  };
  const change = {
    http,
    health: { path: healthPath },
    limit: { requests: LIMIT, window: '6s', windowStart: 'FirstRequest' },
  };
  const run = await limiters.drive('express-rate-limit', 'default', {
    scenarios: SCENARIOS,
    configured: { limit: LIMIT, windowSeconds: 6 },
    env: { BY_ADDRESS: 'true' },
    change,
  });
  onTestFinished(run.close);
  return run;
}

/** The evidence has no names, counts all requests as those of the one caller, and is enough for a diagnosis. */
async function expectSeen(driver: DrivenLimiter): Promise<void> {
  const { bundle, pods = [] } = driver.evidence ?? {};
  if (!bundle) throw new Error('there is no evidence');
  const names = ['127.0.0.1', 'redis-0', ...pods.map(({ pod }) => pod)];
  expect(leaksOf(relativeToFirst(bundle), names)).toEqual([]);
  expect(bundle.invariant).toMatchObject({ broken: true });
  expect(bundle.series.some(({ signal }) => signal === 'requests-sent')).toBe(true);
  expect(bundle.series.filter(({ signal }) => signal.startsWith('others-'))).toEqual([]);
  expect(await queryProvider(rulesProvider, bundle, never)).toMatchObject({
    answer: { anomaly: 'store-writes-stalled', component: 'store' },
  });
}

describe.skipIf(withoutRealTime)('the one caller of a limiter whose Redis takes no writes', () => {
  it('is left waiting as it comes, and locked out by what was never served', async () => {
    const { driver, key } = await start();
    const reading = await driver.leadThrough('outage', key, PAUSE_MS);
    expect(driver.observed.faults['f']).toMatchObject({ proof: 'Confirmed' });
    expect(reading).toMatchObject({ shortfalls: [], summary: 'Hangs' });
    expect(reading.detectedAt).toBeDefined();
    expect(reading.measures).toMatchObject({ overAdmission: 0 });
    expect(reading.evidence.join('\n')).toMatch(/After the fault .* 0 admitted, \d+ rejected/);
    await expectSeen(driver);
    // Each request that was given up was admitted when Redis continued.
    expect(reading.measures['overCounted']).toBe(0);
  });
});

describe('a limiter that knows its callers by the source address', () => {
  it('is not accepted if health checks of its pods use the limit up', { timeout: 60_000 }, async () => {
    const { driver, key } = await start('/');
    await expect(driver.prepare('outage', key)).rejects.toThrow(
      /express-rate-limit-\d: GET \/ was rejected .*used up, .*health\.path/,
    );
  });
});
