/** Redis over TLS with a certificate of a private authority: what is admitted, and why the rest is not. */
import { admitRedis, injectRedisPause, type RedisTarget } from '@chaosdemo/redis-faults';
import { type RedisServer, Supervisor, startRedis } from '@chaosdemo/testbed';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { aclLines, makeRedisUsers } from '../../../src/local/redis-users.ts';
import { never } from '../../kit/driven-limiter.ts';
import { folderOfFile } from '../../kit/folder.ts';
import { NO_TLS, startOverTls } from '../../kit/over-tls.ts';
import { startSentinel, WATCHED_AS } from '../../kit/sentinels.ts';
import { storeOf } from '../../kit/store.ts';
import { until } from '../../kit/until.ts';
import { Authority } from './support/authority.ts';
import { LimiterOnRedis } from './support/limiter-on-redis.ts';

const NAME = 'redis.shop.svc';
const users = makeRedisUsers();
const servers: RedisServer[] = [];
const folder = folderOfFile();
let authority: Authority;
/** Undefined where this Redis was built without TLS. */
let ground: LimiterOnRedis | undefined;

function on(server: RedisServer): LimiterOnRedis {
  servers.push(server);
  return new LimiterOnRedis(server, users, []);
}

async function startedOverTls(
  options: Parameters<typeof startOverTls>[0],
): Promise<LimiterOnRedis | undefined> {
  const server = await startOverTls({ aclUsers: aclLines(users), ...options });
  return server && on(server);
}

beforeAll(async () => {
  authority = await Authority.in(folder, 'ours');
  ground = await startedOverTls({ tls: await authority.issue('good', `DNS:${NAME}`) });
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
});

function orSkip(server: LimiterOnRedis | undefined, context: TestContext): LimiterOnRedis {
  return server ?? context.skip(NO_TLS);
}

const secure = async (change: Partial<RedisTarget> = {}): Promise<Partial<RedisTarget>> => ({
  tls: true,
  servername: NAME,
  ca: await authority.pem(),
  ...change,
});

describe('a Redis whose certificate a private authority has issued', () => {
  it('is admitted and paused with the ca.crt of that authority', async (context) => {
    const tls = orSkip(ground, context);
    const target = tls.target(await secure());
    expect(await tls.admit(target)).toMatch(/^[0-9a-f]{40}$/);
    const redis = storeOf(target, 'tls');
    await redis.takeCharge(60_000);
    const pause = await injectRedisPause(
      redis,
      { plannedAt: Date.now(), until: Date.now() + 20_000, usualWriteMs: 1, now: Date.now },
      never,
    );
    expect(pause.proof).toBe('Confirmed');
    await redis.unpause();
    await expect(pause.probes[0].write.taken).resolves.toEqual({
      at: expect.any(Number),
      redisAt: expect.any(Number),
    });
    redis.close();
  });

  it('is admitted with a Sentinel whose certificate is of that authority', async (context) => {
    const { server } = orSkip(ground, context);
    const supervisor = new Supervisor();
    onTestFinished(() => supervisor.close());
    const sentinel = await startSentinel(
      supervisor,
      { ...server, user: users.admin },
      {
        host: '127.0.0.95',
        downAfterMs: 5000,
        tls: await authority.issue('sentinel', 'DNS:sentinel.shop.svc'),
      },
    );
    onTestFinished(() => sentinel.observer.disconnect());
    const redis = orSkip(ground, context).target(await secure());
    const admission = async (servername: string): Promise<string> => {
      const target = { ...sentinel.target, ...(await secure({ servername })) };
      const sentinels = { masterName: WATCHED_AS, servers: [target] };
      const options = { allowOtherClients: false, longestMs: 4500 };
      const found = { redis: [redis] as const, addresses: [], sentinels };
      return await admitRedis(found, options, never).then(({ runId }) => runId, String);
    };
    await until(async () => /^[0-9a-f]{40}$/.test(await admission('sentinel.shop.svc')), {
      what: 'it to watch',
    });
    expect(await admission(NAME)).toMatch(/Sentinel sentinel-95 .*certificate .*valid for redis\.shop\.svc/);
  });

  it('is refused with the ca.crt of another authority', async (context) => {
    const other = await Authority.in(folder, 'theirs');
    const target = orSkip(ground, context).target(await secure({ ca: await other.pem() }));
    expect(await ground?.refusal(target)).toMatch(/^RedisUnreachable: .*certificate.*issued .*caSecretName/);
  });

  it('is refused without redis.tls, which the message names', async (context) => {
    const target = orSkip(ground, context).target();
    expect(await ground?.refusal(target)).toMatch(/set redis\.tls/);
  });

  it('is refused once its certificate has expired, which the message says', async (context) => {
    const tls = await authority.issue('expired', `DNS:${NAME}`, 0);
    const expired = orSkip(await startedOverTls({ tls }), context);
    expect(await expired.refusal(expired.target(await secure()))).toMatch(/certificate .*expired; renew/);
  });

  it('a Redis that requires a client certificate is rejected', async (context) => {
    const tls = await authority.issue('mutual', `DNS:${NAME}`);
    const settings = ['tls-auth-clients yes'];
    const mutual = orSkip(await startedOverTls({ tls, settings }), context);
    expect(await mutual.refusal(mutual.target(await secure()))).toMatch(/set tls-auth-clients to no/);
  });
});

it('a Redis that speaks no TLS is refused with redis.tls, which the message names', async () => {
  const plain = on(await startRedis({ aclUsers: aclLines(users) }));
  expect(await plain.refusal(plain.target(await secure()))).toMatch(
    /^RedisUnreachable: .*speaks TLS on this port/,
  );
});
