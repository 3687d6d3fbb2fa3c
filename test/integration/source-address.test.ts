/** A limiter that people run, as it comes: it knows its callers by the source address of the connection alone. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { queryProvider, rulesProvider } from '../../src/diagnosis/index.ts';
import { relativeToFirst } from '../../src/evidence/index.ts';
import { sample } from '../kit/demo.ts';
import { DrivenLimiter, limiterSpec, never } from '../kit/driven-limiter.ts';
import { leaksOf } from '../kit/leaks.ts';
import { isNightly } from '../kit/nightly.ts';
import { withoutRealTime } from '../kit/pace.ts';
import { World } from '../kit/world.ts';
import { SurveyedLimiters, type SurveyedTarget } from './support/surveyed-limiter.ts';
import { startYourApi } from './support/your-api.ts';

const PAUSE_MS = 2000;
const LIMIT = 20;
const SCENARIOS = [
  {
    name: 'outage',
    type: 'StoreOutage',
    storeOutage: {
      fault: { duration: '2s' },
      callerTimeout: '500ms',
      requestsPerSecond: 10,
      settle: '1s',
      accept: ['Enforces'],
    },
  },
  { name: 'ghosts', type: 'GhostAllowing', expect: 'Violated', ghostAllowing: { multiplier: 3, trials: 2 } },
];

let limiters: SurveyedLimiters;
beforeAll(async () => {
  limiters = await SurveyedLimiters.start();
});
afterAll(() => limiters?.close());

/** Three processes of it, and a driver of a run on them. */
async function start(variant: string, limit: object = {}, healthPath = '/healthz') {
  const http = {
    identity: 'SourceAddress',
    path: '/',
    admittedStatuses: [200],
  };
  let found: SurveyedTarget | undefined;
  const change = {
    http,
    health: { path: healthPath },
    limit: { requests: LIMIT, window: '6s', windowStart: 'FirstRequest', ...limit },
  };
  const run = await limiters.drive('express-rate-limit', variant, {
    scenarios: SCENARIOS,
    configured: { limit: LIMIT, windowSeconds: 6 },
    env: { BY_ADDRESS: 'true' },
    target: (target) => (found = target),
    change,
  });
  onTestFinished(run.close);
  const target = found ?? expect.unreachable();
  /** Another run on the same processes. */
  const another = (): DrivenLimiter => {
    const driver = new DrivenLimiter({ ...target, spec: limiterSpec(change, SCENARIOS) });
    onTestFinished(() => driver.close());
    return driver;
  };
  return { ...run, target, another };
}

/** The evidence has no names, counts all requests as those of the one caller, and is enough for a diagnosis. */
async function expectSeen(driver: DrivenLimiter, broken: boolean): Promise<void> {
  const { bundle, pods = [] } = driver.evidence ?? {};
  if (!bundle) throw new Error('there is no evidence');
  const names = ['127.0.0.1', 'redis-0', ...pods.map(({ pod }) => pod)];
  expect(leaksOf(relativeToFirst(bundle), names)).toEqual([]);
  expect(bundle.invariant).toMatchObject({ broken });
  expect(bundle.series.some(({ signal }) => signal === 'requests-sent')).toBe(true);
  expect(bundle.series.filter(({ signal }) => signal.startsWith('others-'))).toEqual([]);
  expect(await queryProvider(rulesProvider, bundle, never)).toMatchObject({
    answer: { anomaly: 'store-writes-stalled', component: 'store' },
  });
}

describe.skipIf(withoutRealTime)('the one caller of a limiter whose Redis takes no writes', () => {
  it('is left waiting as it comes, and locked out by what was never served', async () => {
    const { driver, key } = await start('default');
    const reading = await driver.leadThrough('outage', key, PAUSE_MS);
    expect(driver.observed.faults['f']).toMatchObject({ proof: 'Confirmed' });
    expect(reading).toMatchObject({ shortfalls: [], summary: 'Hangs' });
    expect(reading.detectedAt).toBeDefined();
    expect(reading.measures).toContainEqual({ name: 'overAdmission', value: 0, unit: 'requests' });
    expect(reading.evidence.join('\n')).toMatch(/After the fault .* 0 admitted, \d+ rejected/);
    await expectSeen(driver, true);
    // Each request that was given up was counted when Redis continued.
    const recovery = await driver.recover('outage', key, 2000);
    expect(recovery).toMatchObject({
      report: {
        measures: [
          { name: 'underCounted', value: 0 },
          { name: 'overCounted', value: LIMIT - 3 },
        ],
      },
    });
  });

  it.runIf(isNightly)('is admitted over its limit if the limiter fails open', async () => {
    const { driver, key } = await start('ioredis-timeout-fail-open');
    const reading = await driver.leadThrough('outage', key, PAUSE_MS);
    expect(reading).toMatchObject({ shortfalls: [] });
    expect(reading.summary).toMatch(/^FailsOpen, \d+ > 20$/);
    expect(reading.detectedAt).toBeDefined();
    await expectSeen(driver, true);
  });
});

describe('a limiter that knows its callers by the source address', () => {
  it('is not accepted if its limit differs from the spec', { timeout: 60_000 }, async () => {
    const { driver, key } = await start('default', { requests: 25 });
    await expect(driver.prepare('outage', key)).rejects.toThrow(
      /rejected after 20 requests, .* 25\. .*rateLimiter\.limit\.requests.*who else/,
    );
  });

  it('is not accepted if health checks of its pods use the limit up', { timeout: 60_000 }, async () => {
    const { driver, key } = await start('default', {}, '/');
    await expect(driver.prepare('outage', key)).rejects.toThrow(
      /express-rate-limit-\d: GET \/ was rejected .*used up, .*health\.path/,
    );
  });

  it.runIf(isNightly)('gets no false result if another client sends from the same address', async () => {
    const { another, driver, key, target } = await start('default');
    const other = another();
    // Both use up the one limit that they have at the same time.
    await Promise.all([driver.measureBaseline(), other.measureBaseline()]);
    const spoilt = [driver, other].filter(({ observed }) => !observed.baseline?.ok);
    expect(spoilt.length).toBeGreaterThan(0);
    for (const { observed } of spoilt) {
      expect(observed.baseline?.message).toMatch(/(rejected|admitted) .*(who else|one address)/);
    }
    await driver.prepare('outage', key);
    driver.converge([{ kind: 'Watch', fault: 'f', scenario: 'outage', fixture: key }]);
    const [{ host, port } = expect.unreachable()] = target.pods;
    for (let i = 0; i < LIMIT; i += 1) await (await fetch(`http://${host}:${port}/`)).text();
    expect(await driver.inject('outage', key, PAUSE_MS)).toMatchObject({
      missed: true,
      message: expect.stringMatching(/first request .*rejected, .*who else/),
    });
  });
});

describe.skipIf(withoutRealTime || !isNightly)('the gate of the sample, in windows of seconds', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('approximate');
    await startYourApi(world, {
      limiter: 'express-rate-limit',
      variant: 'default',
      configured: { limit: LIMIT, windowSeconds: 6 },
      env: { BY_ADDRESS: 'true' },
    });
  }, 300_000);
  afterAll(() => world?.stop());

  it('passes if the outcomes are accepted, and reports what it waits for', {
    timeout: 180_000,
  }, async () => {
    const name = 'source-address';
    const shipped = await sample('your-limiter-source-address.yaml', { name, namespace: world.namespace });
    const spec = shipped.spec as { rateLimiter: { limit: object; redis: object } };
    const { rateLimiter } = spec;
    Object.assign(rateLimiter.limit, { requests: LIMIT, window: '6s' });
    // Processes of one machine reach Redis from its address, and not from those of their pods.
    Object.assign(rateLimiter.redis, { otherClients: 'Allow' });
    Object.assign(rateLimiter, { health: { path: '/healthz', timeout: '1s' } });
    const [outage, ghosts] = SCENARIOS;
    const scenarios = [{ ...outage, storeOutage: { ...outage?.storeOutage, accept: ['Hangs'] } }, ghosts].map(
      (scenario) => ({ ...scenario, expect: 'Held', countdown: '0s' }),
    );
    await world.applyObject({ ...shipped, spec: { ...spec, scenarios } });
    const waiting = await world.untilStatus(name, 'Setup', ({ chapter }) =>
      /^3.\d+ Setup$/.test(chapter ?? ''),
    );
    expect(waiting.message).toMatch(/This waits up to 7s .*replenished/);
    const { message, phase, scenarios: results = [] } = await world.ended(name);
    expect(`${phase}: ${message}`).toMatch(/^Succeeded/);
    expect(results.map(({ result, summary }) => `${result} ${summary}`)).toEqual([
      'Held Hangs',
      'Held 20/20, 0/2 trials',
    ]);
  });
});
