/** What a server on loopback that is no Sentinel, or a malicious one, makes of the check of a failover. */
import { describe, expect, it } from 'vitest';
import {
  bulk,
  watchedPrimary as fields,
  PASSWORD,
  RUN_ID,
  refusalText,
  serverWith,
} from '../testing/answering-redis.fixture.ts';
import { requireNoFailover } from './sentinels.ts';

/** The outcome of a check of a fault of 4.5 s, by Sentinels that answer so. */
async function outcomeOf(...answers: string[]): Promise<string> {
  const servers = await Promise.all(
    answers.map(async (SENTINEL, i) => ({ ...(await serverWith({ SENTINEL })), podName: `s-${i}` })),
  );
  const redis = {
    podName: 'redis-0',
    namespace: 'shop',
    host: '10.0.0.7',
    port: 6379,
    tls: false,
    runId: RUN_ID,
  };
  const { signal } = new AbortController();
  return await requireNoFailover({ masterName: 'limits', servers }, redis, 4500, signal).then(
    (watches) => (watches.length === servers.length ? 'admitted' : 'incomplete'),
    refusalText,
  );
}

describe('a check of Sentinels', () => {
  it('admits a fault that is 500 ms shorter than all of them wait', async () => {
    expect(await outcomeOf(fields(), fields({ 'down-after-milliseconds': '30000' }))).toBe('admitted');
    expect(await outcomeOf(fields({ 'last-ping-sent': '250' }))).toBe('admitted');
  });

  it.each(['redis-0.redis.shop.svc.cluster.local', 'REDIS-0.redis.shop.svc'])(
    'admits a primary at the DNS name of its pod: %s',
    async (ip) => expect(await outcomeOf(fields({ ip }))).toBe('admitted'),
  );

  // Any server can report the run_id of another.
  it.each([
    { ip: '10.9.9.9' },
    { ip: 'redis-0.redis.other.svc.cluster.local' },
    { ip: 'redis-1.redis.shop.svc' },
    { ip: 'redis-0.redis' },
    { ip: 'redis-0.example.shop.com' },
  ])('refuses a primary with the same run_id that is at another address: %o', async (change) => {
    expect(await outcomeOf(fields(change))).toMatch(/^RedisNotEligible: .* not the address of redis-0 /);
  });

  it.each<[string, string, RegExp]>([
    [
      'waits less',
      fields({ 'down-after-milliseconds': '4999' }),
      /^RedisNotEligible: .* 4999 ms .* 4s499ms,/,
    ],
    [
      'waits no longer than any fault',
      fields({ 'down-after-milliseconds': '1400' }),
      /500 ms shorter: set down-/,
    ],
    ['watches another server', fields({ runid: 'f'.repeat(40) }), /^RedisNotEligible: .*10\.0\.0\.7:6379/],
    ['has not read the run_id yet', fields({ runid: '' }), /^RedisNotEligible: .*not read its run_id/],
    ['takes it for failed', fields({ flags: 'master,s_down' }), /^RedisNotEligible: .*"master,s_down"/],
    ['has lost it', fields({ flags: 'master,disconnected' }), /^RedisNotEligible: .*disconnected/],
    ['reports no time', fields({ 'down-after-milliseconds': 'x' }), /^RedisNotEligible: .*is no Sentinel/],
    ['has a PING waiting', fields({ 'last-ping-sent': '251' }), /^RedisUnreachable: .*waited 251 ms/],
    ['answers text', '+OK\r\n', /^RedisNotEligible: .*is no Sentinel: .*instead of a list/],
    ['answers nothing', '$-1\r\n', /^RedisNotEligible: .*is no Sentinel/],
    ['answers half a field', '*1\r\n+ip\r\n', /^RedisNotEligible: .*is no Sentinel/],
    ['answers 300 KB', `*2\r\n${bulk('ip')}${bulk('x'.repeat(300_000))}`, /more than 262144 bytes/],
    ['answers 600 elements', `*600\r\n${'+a\r\n'.repeat(600)}`, /more than 512 elements/],
    ['knows no such name', '-ERR No such master with that name\r\n', /sentinel\.masterName/],
    ['is a Redis', "-ERR unknown command 'SENTINEL'\r\n", /^RedisNotEligible: .*is no Sentinel/],
    ['rejects it', '-NOPERM no permissions\r\n', /^RedisUnreachable: .*"-@all \+sentinel\|master/],
  ])('refuses one that %s', async (_, answer, message) => {
    const outcome = await outcomeOf(fields(), answer);
    expect(outcome).toMatch(message);
    expect(outcome).toContain('s-1 (127.0.0.1:');
  });

  it('repeats no password that comes back in an error', async () => {
    const outcome = await outcomeOf(`-ERR ${PASSWORD}\r\n`);
    expect(outcome).toMatch(/^RedisUnreachable: Sentinel s-0 /);
    expect(outcome).not.toMatch(/Tr0|horse/);
  });
});
