/** What happens to Redis in the midst of a run: whatever it is, it proves nothing that was not seen, and nothing stays paused. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callsOf } from '../../kit/calls-of.ts';
import type { DrivenLimiter } from '../../kit/driven-limiter.ts';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { until } from '../../kit/until.ts';
import { Grounds, type LimiterOnRedis } from './support/limiter-on-redis.ts';

const TESTS = 7;
const DEBUG = ['enable-debug-command yes'];
const deadlineMs = 30_000;

let grounds: Grounds;
const free: LimiterOnRedis[] = [];
beforeAll(async () => {
  // A strict limiter never drifts, so that nothing but the cause decides.
  grounds = await Grounds.start(Array.from({ length: TESTS }, () => ({ mode: 'strict', settings: DEBUG })));
  free.push(...grounds.all);
});
afterAll(() => grounds?.stop());

/** A Redis that no other test uses. */
function own(): LimiterOnRedis {
  const ground = free.pop();
  if (!ground) throw new RangeError('there are more tests than grounds');
  return ground;
}

const ABOUT = { fault: 'f', scenario: 'drift' } as const;

/** Watches from here on, with steady traffic. */
function watch(driver: DrivenLimiter): void {
  driver.converge([
    { kind: 'Watch', ...ABOUT },
    { kind: 'Load', ...ABOUT },
  ]);
}

/** The watch goes on to its end and proves neither; what was missing is said. */
async function expectNoVerdict(driver: DrivenLimiter, missing: RegExp): Promise<void> {
  await until(() => driver.observed.faults['f']?.endedAt, { what: 'the end of the fault', deadlineMs });
  driver.converge([{ kind: 'Watch', ...ABOUT }]);
  await until(() => driver.observed.readings['f']?.shortfalls.length, {
    what: 'what is missing',
    deadlineMs,
  });
  // What comes late would come by then.
  await sleep(1200);
  const { detectedAt, shortfalls } = driver.observed.readings['f'] ?? {};
  expect(detectedAt).toBeUndefined();
  expect(shortfalls?.join('\n')).toMatch(missing);
}

/** Writes flow, and restoring finds nothing that is left. */
async function expectNothingLeft(ground: LimiterOnRedis, driver: DrivenLimiter, key: string): Promise<void> {
  await driver.perform({ kind: 'Restore', id: 's', fixtures: [key], release: true });
  expect(driver.observed.restored['s']).toMatchObject({ ok: true, faultOver: true });
  const admin = await ground.admin();
  await admin.set('written', '1');
}

/** Keeps Redis from everything; resolves once it does, to what resolves when it is over. */
async function block(ground: LimiterOnRedis, seconds: string): Promise<{ readonly over: Promise<unknown> }> {
  const [admin, other] = [await ground.admin(), await ground.admin()];
  const over = admin.call('DEBUG', 'SLEEP', seconds);
  while (await Promise.race([other.ping().then(() => true), sleep(100, false)]));
  return { over };
}

describe.skipIf(withoutRealTime)('Redis is restarted', { concurrent: true }, () => {
  for (const how of ['restart', 'kill9'] as const) {
    it(
      `in mid-pause, by ${how}: nothing is proven, and the message says what happened`,
      keepingTime(async () => {
        const ground = own();
        const { driver, key } = await ground.prepared('drift');
        driver.converge([{ kind: 'Watch', ...ABOUT }]);
        expect(await driver.inject('drift', 20_000)).toMatchObject({ proof: 'Confirmed' });
        await ground.server[how]();
        if (how === 'kill9') await ground.server.restart();
        watch(driver);
        await expectNoVerdict(driver, /ended \d+ ms before its time/);
        const { evidence, message } = driver.observed.faults['f'] ?? {};
        expect(message).toMatch(/Redis was restarted/);
        expect(evidence?.join('\n')).toMatch(/connection .*lost: Redis was restarted/);
        await expectNothingLeft(ground, driver, key);
        expect(await callsOf(await ground.admin(), 'client|pause')).toBe(0);
      }),
    );
  }

  it(
    'in the countdown: nothing is paused',
    keepingTime(async () => {
      const ground = own();
      const { driver } = await ground.prepared('drift');
      await ground.server.restart();
      const report = await driver.inject('drift', 2000);
      expect(report).toMatchObject({ missed: true });
      expect(report?.message).toMatch(/taken this Redis over/);
      expect(await callsOf(await ground.admin(), 'client|pause')).toBe(0);
    }),
  );
});

describe.skipIf(withoutRealTime)('Redis takes no more clients', { concurrent: true }, () => {
  const advice = /max number of clients.*maxclients/;

  it(
    'at admission: it is refused, and in the countdown: nothing is paused',
    keepingTime(async () => {
      const ground = own();
      const { driver } = await ground.prepared('drift');
      const admin = await ground.admin();
      await admin.config('SET', 'maxclients', '1');
      expect(await ground.refusal()).toMatch(advice);
      const report = await driver.inject('drift', 2000);
      expect(report).toMatchObject({ missed: true });
      expect(report?.message).toMatch(advice);
      expect(await callsOf(admin, 'client|pause')).toBe(0);
    }),
  );

  it(
    'in mid-pause: the pause ends in time, and restoring says what is in the way',
    keepingTime(async () => {
      const ground = own();
      const { driver, key } = await ground.prepared('drift');
      driver.converge([{ kind: 'Watch', ...ABOUT }]);
      const begun = Date.now();
      expect(await driver.inject('drift', 4000)).toMatchObject({ proof: 'Confirmed' });
      const admin = await ground.admin();
      await admin.config('SET', 'maxclients', '1');
      watch(driver);
      await until(() => driver.observed.faults['f']?.endedAt, { what: 'the end of the fault', deadlineMs });
      // The connections that it had are enough to see the end.
      const { endedAt = 0, evidence } = driver.observed.faults['f'] ?? {};
      expect(endedAt).toBeGreaterThan(begun + 3900);
      expect(evidence?.join('\n')).toMatch(/accepted again \d+ ms (before|after) .* 4s/);
      expect(driver.observed.readings['f']?.detectedAt).toBeUndefined();
      await driver.perform({ kind: 'Restore', id: 's', fixtures: [key], release: true });
      expect(driver.observed.restored['s']).toMatchObject({ ok: false });
      expect(driver.observed.restored['s']?.message).toMatch(advice);
      await admin.config('SET', 'maxclients', '1000');
      await expectNothingLeft(ground, driver, key);
    }),
  );
});

describe.skipIf(withoutRealTime)('Redis does nothing else for a while', { concurrent: true }, () => {
  it(
    'at admission: it is refused with what to look for',
    keepingTime(async () => {
      const ground = own();
      const { over } = await block(ground, '4.5');
      expect(await ground.refusal()).toMatch(/^RedisUnreachable: .*no .*reply.* 3000 ms.*overloaded/);
      await over;
    }),
  );

  it(
    'in mid-pause: nothing is proven, for the watch has a gap',
    keepingTime(async () => {
      const ground = own();
      const { driver, key } = await ground.prepared('drift');
      driver.converge([{ kind: 'Watch', ...ABOUT }]);
      expect(await driver.inject('drift', 4000)).toMatchObject({ proof: 'Confirmed' });
      watch(driver);
      const admin = await ground.admin();
      await admin.call('DEBUG', 'SLEEP', '2');
      await expectNoVerdict(driver, /no complete counter sample for \d+ ms/);
      await expectNothingLeft(ground, driver, key);
    }),
  );
});
