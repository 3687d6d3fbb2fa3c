/** Counter drift of rate limiters that people run, by their reported quota: the spec names no key of Redis. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { withoutRealTime } from '../kit/pace.ts';
import { about, watched } from './support/drift-watch.ts';
import { type Passed, RecordingProxy } from './support/recording-proxy.ts';
import { CONFIGURED, SurveyedLimiters } from './support/surveyed-limiter.ts';

const SCENARIOS = [
  {
    name: 'drift',
    type: 'CounterDrift',
    expect: 'Violated',
    counterDrift: { pause: '3s', requestsPerSecond: 40, settle: '1s' },
  },
];

let limiters: SurveyedLimiters;
beforeAll(async () => {
  limiters = await SurveyedLimiters.start();
});
afterAll(() => limiters?.close());

/** What passes between the operator and the pods is seen by a proxy before each of them. */
async function driven(name: string, variant: string, header: string, change: object = {}) {
  const mapped = await limiters.specOf(name, variant);
  const proxies: RecordingProxy[] = [];
  const run = await limiters.drive(name, variant, {
    scenarios: SCENARIOS,
    change: { interface: 'HTTP', http: { ...mapped.http, remainingHeader: header }, ...change },
    target: async (found) => {
      for (const node of found.pods) proxies.push(await RecordingProxy.start(node));
      return { ...found, pods: found.pods.map((node, i) => ({ ...node, ...proxies[i]?.address })) };
    },
  });
  onTestFinished(async () => {
    await run.close();
    await Promise.all(proxies.map(async (proxy) => await proxy.stop()));
  });
  return { ...run, passed: () => proxies.flatMap((proxy) => proxy.passed) };
}

/** The furthest that the header was behind the yeses that had passed by so many milliseconds before each request. */
function furthest(passed: readonly Passed[], header: string, beforeMs: number): number {
  const yeses = passed.filter(({ status }) => status === 200);
  const behind = yeses.map(({ headers, requestAt }) => {
    const before = yeses.filter(({ answerAt }) => answerAt < requestAt - beforeMs).length;
    const remaining = Number(headers[header.toLowerCase()]);
    // Where nothing remains, it may have counted any number more.
    if (remaining === 0 && before >= CONFIGURED.limit) return 0;
    return before - Math.max(0, CONFIGURED.limit - remaining - 1);
  });
  return Math.max(0, ...behind);
}

// A busy machine leaves samples incomplete, and then nothing is detected: that shows nothing of the quota.
describe('counter drift by the reported quota', { timeout: 300_000, retry: 2 }, () => {
  it.skipIf(withoutRealTime).each([
    ['count locally', 'rate-limiter-flexible', 'timeout-insurance', 5],
    ['admit every caller, and report that nothing is used', 'fastify-rate-limit', 'timeout-fail-open', 60],
  ])(
    'is what callers were admitted over the reported quota of pods that %s',
    async (_, name, variant, some) => {
      const header = 'X-RateLimit-Remaining';
      const { driver, key, passed } = await driven(name, variant, header);
      await driver.prepare('drift', key);
      expect(driver.observed.baseline?.message).toMatch(
        /received .* each of \d+ requests .*; X-RateLimit-Remaining .* each of 10 answers, at most 0 behind; at most 0 counts behind .* 40 /,
      );
      const reading = await watched(driver, key);
      expect(driver.observed.faults['f']).toMatchObject({ proof: 'Confirmed' });
      expect(reading.detectedAt).toBeDefined();
      const drift = reading.measures.find((measure) => measure.name === 'drift')?.value;
      // What passes the proxies may pass the operator some milliseconds later, and in another order.
      const ofKey = passed().filter(({ caller }) => caller === key);
      expect(drift).toBeGreaterThanOrEqual(furthest(ofKey, header, 50));
      expect(drift).toBeLessThanOrEqual(furthest(ofKey, header, 0));
      expect(drift).toBeGreaterThan(some);
      const recovery = await driver.perform({ kind: 'Recover', id: 'r', ...about(key), settleMs: 3000 });
      expect(recovery).toMatchObject({
        report: {
          workedAt: expect.any(Number),
          measures: [],
          message: expect.stringMatching(/unknown/),
        },
      });
      const diagnosis = await driver.perform({
        kind: 'Diagnose',
        id: 'd',
        ...about(key),
        profile: 'rules',
      } as never);
      expect(diagnosis).toMatchObject({
        report: { diagnosis: { class: 'store-writes-stalled', component: 'store' } },
      });
      expect(JSON.stringify(diagnosis)).not.toMatch(/to have admitted|it held/);
    },
  );

  it.skipIf(withoutRealTime)('is not known of a limiter that rejects every caller', async () => {
    const { driver, key } = await driven('rate-limiter-flexible', 'timeout', 'X-RateLimit-Remaining');
    await driver.prepare('drift', key);
    const reading = await watched(driver, key);
    expect(reading).toMatchObject({ summary: '0 <= 5; 0/10' });
    expect(reading.shortfalls).toEqual([expect.stringMatching(/^no request .*admitted/)]);
    expect(reading.detectedAt).toBeUndefined();
  });

  it.skipIf(withoutRealTime)(
    'is not known of a limiter that admits every caller and reports no quota',
    async () => {
      const header = 'RateLimit-Remaining';
      const { driver, key } = await driven('express-rate-limit', 'ioredis-timeout-fail-open', header);
      await driver.prepare('drift', key);
      const reading = await watched(driver, key);
      expect(reading.detectedAt).toBeUndefined();
      expect(reading.shortfalls.join()).toMatch(/ \d+ admitted .*unknown: .*without RateLimit-Remaining/);
    },
  );

  it('gives way to what Redis holds, and the header is checked all the same', async () => {
    const redis = { service: 'redis', count: { key: 'fastify-rate-limit-$(key)' } };
    const { driver, key } = await driven('fastify-rate-limit', 'default', 'x-ratelimit-remaining', { redis });
    await driver.prepare('drift', key);
    expect(driver.observed.baseline?.message).toMatch(
      /x-ratelimit-remaining .* each of 10 answers.*; Redis counted 1\d of 1\d .*; at most/,
    );
  });

  it.each([
    ['is not there', 'X-RateLimit-Remaining', /answered without X-RateLimit-Remaining/],
    ['reports seconds', 'RateLimit-Reset', / RateLimit-Reset .*more remain than the 10 /],
    ['reports the limit', 'RateLimit-Limit', /9 times, and then \S+ reported only 0 used/],
    ['reports a rule', 'RateLimit-Policy', /RateLimit-Policy .*no single whole number/],
  ])('is not looked for by a header that %s, and it is said what to set', async (_, header, message) => {
    const { driver, key } = await driven('express-rate-limit', 'default', header);
    const refused = driver.prepare('drift', key);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toThrow(
      /^No baseline: .* does not report .*: .*\. .*rateLimiter\.http\.remainingHeader/,
    );
  });
});
