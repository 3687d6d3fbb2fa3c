/** Whether a failover can be sent, by what a primary and a Sentinel answer. */
import { describe, expect, it } from 'vitest';
import { admissionFields } from '../client/redis-info.ts';
import type { Watch } from '../client/sentinel.ts';
import { INFO, RUN_ID, refusalText, serverWith } from '../testing/answering-redis.fixture.ts';
import { requireFailoverRight, requireReplica, requireSettled } from './failover-fit.ts';
import { RedisRefusal } from './redis-refusal.ts';

const replica = (state: string, lag: string): string =>
  `ip=10.0.0.8,port=6379,state=${state},offset=14,lag=${lag}`;

describe('the replicas of a primary', () => {
  it.each([
    ['one in sync', `slave0:${replica('online', '0')}`],
    ['one that acknowledged a second ago', `slave0:${replica('online', '1')},type=replica`],
    ['a second one in sync', `slave0:${replica('wait_bgsave', '0')}\r\nslave1:${replica('online', '1')}`],
  ])('suffice with %s', (_, lines) => {
    expect(() => requireReplica(admissionFields(`${INFO}${lines}\r\n`), 'redis-0')).not.toThrow();
  });

  it.each([
    ['without any', '', /has 0 replicas/],
    ['that is still copying', `slave0:${replica('send_bulk', '0')}`, /has 1 replica,/],
    ['that is behind', `slave0:${replica('online', '2')}`, /none is in sync/],
    ['of unknown lag', `slave0:${replica('online', '-1')}`, /none is in sync/],
    ['without a lag', 'slave0:state=online', /none is in sync/],
    ['that only claims it in another field', 'slave0:ip=xstate=online,lag=0', /none is in sync/],
  ])('do not suffice %s', (_, lines, message) => {
    const act = (): void => requireReplica(admissionFields(`${INFO}${lines}\r\n`), 'redis-0');
    expect(act).toThrow(RedisRefusal);
    expect(act).toThrow(message);
  });
});

describe('the last failover', () => {
  const watch = (epoch: number, watchedMs: number): Watch => ({
    sentinel: { host: '127.0.0.81', port: 26_379, podName: 's-0', username: '', password: '', tls: false },
    address: '10.0.0.7:6379',
    flags: 'master',
    runId: RUN_ID,
    downAfterMs: 5000,
    pendingMs: 0,
    epoch,
    watchedMs,
  });
  const settled = watch(4, 30_000);

  it('is over for all Sentinels after 30 s, or if there was none', () => {
    expect(() => requireSettled([settled, watch(0, 0), settled], 'limits')).not.toThrow();
  });

  it('is not over while one has watched the primary for less', () => {
    const act = (): void => requireSettled([settled, watch(4, 29_999)], 'limits');
    expect(act).toThrow(RedisRefusal);
    expect(act).toThrow(/^Sentinel s-0 .* less than 30 s/);
  });
});

describe('the right to send a failover', () => {
  async function outcomeWith(SENTINEL: string): Promise<string> {
    const server = { ...(await serverWith({ SENTINEL })), username: 'operator', podName: 's-0' };
    const sentinels = { masterName: 'limits', servers: [server] };
    return await requireFailoverRight(sentinels, new AbortController().signal).then(
      () => 'permitted',
      refusalText,
    );
  }

  it('is there if a Sentinel looks for a primary that does not exist', async () => {
    expect(await outcomeWith('-ERR No such master with that name\r\n')).toBe('permitted');
  });

  it.each([
    [
      'is missing',
      '-NOPERM this user has no permissions\r\n',
      /^RedisUnreachable: Sentinel s-0 .*ACL SETUSER <username> \+sentinel\|failover$/,
    ],
    [
      'is not known from a Redis',
      "-ERR unknown command 'SENTINEL'\r\n",
      /^RedisNotEligible: .*is no Sentinel/,
    ],
    ['is not known from a server that accepts anything', '+OK\r\n', /^RedisUnreachable: .*unknown primary/],
    [
      'is not known without a login',
      '-NOAUTH Authentication required.\r\n',
      /^RedisUnreachable: .*authSecretName/,
    ],
  ])('%s', async (_, answer, outcome) => {
    expect(await outcomeWith(answer)).toMatch(outcome);
  });
});
