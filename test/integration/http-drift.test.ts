/** Counter drift of rate limiters that people run: what their callers were admitted against what Redis counted. */
import { REDIS_ACL } from '@chaosdemo/redis-faults';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { withoutRealTime } from '../kit/pace.ts';
import { ABOUT, watched } from './support/drift-watch.ts';
import { SurveyedLimiters } from './support/surveyed-limiter.ts';

const SCENARIOS = [
  {
    name: 'drift',
    type: 'CounterDrift',
    expect: 'Violated',
    counterDrift: { fault: { duration: '3s' }, requestsPerSecond: 40, settle: '1s' },
  },
];
/** Exactly the rights that docs/your-limiter.md lists. */
const RIGHTS = REDIS_ACL.replace(' +hvals', '').replace('%R~rl:*', '%R~rl:demo-* %R~rlflx:demo-*');

let limiters: SurveyedLimiters;
beforeAll(async () => {
  limiters = await SurveyedLimiters.start({
    aclUsers: [
      'user default on nopass ~* &* +@all',
      `user operator on >secret ${RIGHTS}`,
      `user blind on >secret ${RIGHTS.replace('%R~rl:demo-* ', '')}`,
    ],
  });
});
afterAll(() => limiters?.close());

async function driven(variant: string, count: object, username = 'operator', name = 'express-rate-limit') {
  const run = await limiters.drive(name, variant, {
    scenarios: SCENARIOS,
    change: { redis: { serviceName: 'redis', count } },
    target: (found) => ({ ...found, redis: { ...found.redis, username, password: 'secret' } }),
  });
  onTestFinished(run.close);
  return run;
}

describe('counter drift of a limiter behind HTTP', { timeout: 300_000 }, () => {
  it.skipIf(withoutRealTime)(
    'is what callers were admitted and Redis did not count while it stalled',
    async () => {
      const { driver, key } = await driven(
        'timeout-insurance',
        { key: 'rlflx:$(key)' },
        'operator',
        'rate-limiter-flexible',
      );
      await driver.prepare('drift', key);
      expect(driver.observed.baseline?.message).toMatch(/Redis counted 1\d of 1\d .*; at most 0 /);
      const reading = await watched(driver);
      expect(reading.shortfalls).toEqual([]);
      expect(reading.detectedAt).toBeDefined();
      const measure = (name: string) => reading.measures[name] ?? 0;
      // Each of the three lets the whole limit through by its own memory, and Redis counts none of it.
      expect(measure('drift')).toBe(30);
      expect(measure('overAdmission')).toBe(20);
      expect(reading.evidence.join('\n')).not.toMatch(/Ceiling/);
      const recovery = await driver.perform({ kind: 'Recover', id: 'r', ...ABOUT, settleMs: 3000 });
      expect(recovery).toMatchObject({ report: { workedAt: expect.any(Number) } });
      expect(JSON.stringify(recovery)).toMatch(/Redis holds \d+ counts? .* \d+ requests .*admitted/);
      const diagnosis = await driver.perform({
        kind: 'Diagnose',
        id: 'd',
        ...ABOUT,
        profile: 'rules',
      } as never);
      // The pods were not queried for their counts, so none are reported.
      expect(JSON.stringify(diagnosis)).not.toMatch(/reports to have admitted/);
    },
  );

  it.each([
    ['another key', { key: 'other:$(key)' }, 'operator', /grant it "\+get %R~other:demo-\*"/],
    [
      'a key without a value',
      { key: 'rl:$(key)x' },
      'operator',
      /counts 0 at rl:demo-\S+x \(String\), and of/,
    ],
    [
      'a kind that it is not',
      { key: 'rl:$(key)', type: 'SortedSet' },
      'operator',
      /grant it "\+zcard %R~rl:demo/,
    ],
    ['no right to read it', { key: 'rl:$(key)' }, 'blind', /grant it "\+get %R~rl:demo-\*"/],
  ])('is not looked for with %s, and it is said what to set', async (_, count, user, message) => {
    const { driver, key } = await driven('default', count, user);
    await expect(driver.prepare('drift', key)).rejects.toThrow(message);
  });
});
