/** Every right that is documented is needed: where one is missing, its command is named, and what to grant. */
import { REDIS_ACL, RedisRefusal, type RedisTarget } from '@chaosdemo/redis-faults';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { until } from '../../kit/until.ts';
import { Grounds, type LimiterOnRedis } from './support/limiter-on-redis.ts';

/** Each part of the rights, the step that needs it, and whom Redis names. */
const NEEDED = [
  ['+info', 'admission', 'info'],
  ['+client|list', 'admission', 'client|list'],
  ['+set', 'baseline', 'set'],
  ['~chaosdemo:probe:*', 'baseline', 'SET'],
  ['+time', 'baseline', 'time'],
  ['+hvals', 'baseline', 'hvals'],
  ['%R~rl:*', 'baseline', 'hvals'],
  ['+ping', 'baseline', 'ping'],
  ['+get', 'baseline', 'get'],
  ['+client|pause', 'injection', 'client|pause'],
  ['+watch', 'preparation', 'watch'],
  ['+multi', 'preparation', 'multi'],
  ['+exec', 'injection', 'exec'],
  ['+client|unpause', 'restoring', 'client|unpause'],
] as const;

/** Neither is a right: they take away what is not granted. */
const TAKING = ['-@all', 'resetchannels'];

let grounds: Grounds;
let ground: LimiterOnRedis;
beforeAll(async () => {
  grounds = await Grounds.start([{ mode: 'approximate' }]);
  [ground] = grounds.all as [LimiterOnRedis];
});
afterAll(() => grounds?.stop());

/** A new user with the documented rights but this one. */
async function without(right: string, i: number): Promise<RedisTarget> {
  const rules = REDIS_ACL.split(' ').filter((rule) => rule !== right);
  const { host, port } = ground.server;
  const redis = new Redis({ host, port, ...ground.users.admin });
  await redis.call('ACL', 'SETUSER', `without-${i}`, 'on', '>secret', ...rules);
  redis.disconnect();
  return ground.target({ username: `without-${i}`, password: 'secret' });
}

/** Goes through a run and returns the first complaint, with the step that it came from. */
async function firstComplaint(target: RedisTarget): Promise<string> {
  await ground.close();
  // Redis notices a moment later that those of the test before are gone.
  const admitted = await until(
    async () => {
      const outcome = await ground.admit(target).catch((error: unknown) => error);
      return outcome instanceof RedisRefusal && outcome.reason === 'SharedRedis' ? undefined : outcome;
    },
    { what: 'Redis to be left alone' },
  );
  if (admitted instanceof Error) return `admission: ${admitted.message}`;
  const driver = ground.driver(target);
  await driver.measureBaseline();
  const { baseline } = driver.observed;
  if (!baseline?.ok) return `baseline: ${baseline?.message}`;
  const fixture = `demo-rights-${target.username}`;
  await driver.perform({ kind: 'Prepare', id: 'p', fault: 'f', scenario: 'drift', fixture });
  const failure = driver.observed.prepareFailures['f'];
  if (failure !== undefined) return `preparation: ${failure}`;
  const report = await driver.inject('drift', 1000);
  if (report?.proof !== 'Confirmed') return `injection: ${report?.message}`;
  await driver.perform({ kind: 'Restore', id: 's', fixtures: [fixture], release: true });
  const { ok, message } = driver.observed.restored['s'] ?? {};
  return ok ? 'none' : `restoring: ${message}`;
}

describe.skipIf(withoutRealTime)('the documented rights', () => {
  it('are these', () => {
    expect(REDIS_ACL.split(' ').sort()).toEqual([...NEEDED.map(([right]) => right), ...TAKING].sort());
  });

  it('take everything else away', async () => {
    const { host, port } = ground.server;
    const redis = new Redis({
      host,
      port,
      ...ground.users.operator,
      protocol: 2,
      disableClientInfo: true,
      enableReadyCheck: false,
    });
    for (const command of [
      ['SET', 'rl:win:x:1', '1'],
      ['DEL', 'chaosdemo:probe:x'],
      ['HGETALL', 'other'],
      ['CONFIG', 'GET', '*'],
      ['CLIENT', 'NO-EVICT', 'on'],
      ['EVAL', 'return 1', '0'],
      ['PUBLISH', 'a', 'b'],
      ['ACL', 'WHOAMI'],
    ] as [string, ...string[]][]) {
      const [name, ...args] = command;
      await expect(redis.call(name, ...args)).rejects.toThrow(/^NOPERM/);
    }
    redis.disconnect();
  });

  // One after the other: the pauses are of one Redis.
  it.for(NEEDED.map((each, i) => [...each, i] as const))(
    'are all needed: without %s, the %s fails and names %s',
    ([right, step, named, i], context) =>
      keepingTime(async () => {
        const target = await without(right, i);
        const complaint = await firstComplaint(target);
        expect(complaint).toMatch(new RegExp(`^${step}: `));
        // Of a count, only the right to read it is named.
        const [code, rights] =
          named === 'hvals' ? ['lacks a right', '+hvals %R~rl:count:demo-*'] : ['NOPERM', REDIS_ACL];
        expect(complaint).toContain(code);
        expect(complaint).toContain(rights);
        expect(complaint.toLowerCase()).toContain(named.toLowerCase());
        expect(complaint).not.toContain('secret');
      })(context),
  );
});
