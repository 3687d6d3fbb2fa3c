/** A limiter that people run, as it comes: it knows its callers by the source address of the connection alone. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { fromItsBeginning, leaksOf } from '../../src/evidence/index.ts';
import type { DrivenLimiter } from '../kit/driven-limiter.ts';
import { withoutRealTime } from '../kit/pace.ts';
import { SurveyedLimiters } from './support/surveyed-limiter.ts';

const PAUSE_MS = 2500;
const LIMIT = 20;
const SCENARIOS = [
  {
    name: 'outage',
    type: 'StoreOutage',
    storeOutage: { pause: '2500ms', callerTimeout: '500ms', requestsPerSecond: 10, settle: '1500ms' },
  },
  { name: 'ghosts', type: 'GhostAllowing', ghostAllowing: { multiplier: 3, trials: 2, settle: '1s' } },
];

let limiters: SurveyedLimiters;
beforeAll(async () => {
  limiters = await SurveyedLimiters.start();
});
afterAll(() => limiters?.close());

/** Three processes of it, and a driver of a run on them. */
async function start(variant: string, limit: object = {}) {
  const http = {
    identity: 'SourceAddress',
    request: { path: '/' },
    admitted: { statuses: [200] },
    health: { path: '/healthz' },
  };
  const run = await limiters.drive('express-rate-limit', variant, {
    scenarios: SCENARIOS,
    configured: { limit: LIMIT, windowSeconds: 7 },
    env: { BY_ADDRESS: 'true' },
    change: {
      interface: { type: 'HTTP', http },
      limit: { requests: LIMIT, window: '7s', windowStart: 'FirstRequest', ...limit },
    },
  });
  onTestFinished(run.close);
  return run;
}

/** What is kept names nobody, and has all requests as those of the one caller. */
function expectSeen(driver: DrivenLimiter, broken: boolean): void {
  const { bundle, pods = [] } = driver.evidence ?? {};
  if (!bundle) throw new Error('there is no evidence');
  const names = ['127.0.0.1', 'redis-0', ...pods.map(({ pod }) => pod)];
  expect(leaksOf(fromItsBeginning(bundle), names)).toEqual([]);
  expect(bundle.invariant).toMatchObject({ broken });
  expect(bundle.series.some(({ signal }) => signal === 'requests-sent')).toBe(true);
  expect(bundle.series.filter(({ signal }) => signal.startsWith('others-'))).toEqual([]);
}

describe.skipIf(withoutRealTime)('the one caller of a limiter whose Redis takes no writes', () => {
  it('is left waiting as it comes, and locked out by what was never served', {
    timeout: 120_000,
  }, async () => {
    const { driver, key } = await start('default');
    const reading = await driver.leadThrough('outage', key, PAUSE_MS);
    expect(driver.observed.faults['f']).toMatchObject({ proof: 'Confirmed' });
    expect(reading).toMatchObject({ shortfalls: [], summary: 'Hangs' });
    expect(reading.detectedAt).toBeDefined();
    expect(reading.measures).toContainEqual({ name: 'overAdmission', value: 0, unit: 'requests' });
    expect(reading.measures.find(({ name }) => name === 'wellAfter')?.value).toBeLessThan(1500);
    expect(reading.evidence.join('\n')).toMatch(/After the pause the same caller got 0 admitted, \d+ denied/);
    expectSeen(driver, true);
    // Each request that nobody was served with was counted when Redis went on.
    const recovery = await driver.recover('outage', key, 2000);
    expect(recovery).toMatchObject({
      report: {
        measures: [
          { name: 'lost', value: 0 },
          { name: 'phantoms', value: LIMIT - 3 },
        ],
      },
    });
  });

  it('is let through beyond its limit where it fails open', { timeout: 120_000 }, async () => {
    const { driver, key } = await start('ioredis-timeout-fail-open');
    const reading = await driver.leadThrough('outage', key, PAUSE_MS);
    expect(reading).toMatchObject({ shortfalls: [] });
    expect(reading.summary).toMatch(/^FailsOpen, \d+ > 20$/);
    expect(reading.detectedAt).toBeDefined();
    expectSeen(driver, true);
  });
});

describe('a limiter that knows its callers by the source address', () => {
  it('keeps its limit in bursts, each of which finds it whole', { timeout: 120_000 }, async () => {
    const { driver, key } = await start('default');
    await driver.prepare('ghosts', key);
    driver.converge([{ kind: 'Watch', fault: 'f', scenario: 'ghosts', fixture: key }]);
    await driver.inject('ghosts', key, 20_000);
    expect(driver.observed.faults['f']).toMatchObject({ proof: 'Confirmed' });
    expect(driver.observed.readings['f']).toMatchObject({ shortfalls: [], summary: '20/20, 0/2 trials' });
  });

  it('is refused where its limit is another than the spec says', { timeout: 60_000 }, async () => {
    const { driver, key } = await start('default', { requests: 25 });
    await expect(driver.prepare('outage', key)).rejects.toThrow(
      /one caller was denied after 20 requests, and the limit allows 25: correct subject\.rateLimiter\.limit .*who else asks these pods/,
    );
  });
});
