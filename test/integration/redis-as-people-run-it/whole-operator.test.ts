/** The operator itself, on every way of logging in, over TLS, and on two servers at once. */

import { randomBytes } from 'node:crypto';
import { REDIS_ACL } from '@chaosdemo/redis-faults';
import { startRedis } from '@chaosdemo/testbed';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aclLines, makeRedisUsers } from '../../../src/local/redis-users.ts';
import { drift, ghosts } from '../../kit/demo.ts';
import { folderOfFile } from '../../kit/folder.ts';
import { NO_TLS, startOverTls } from '../../kit/over-tls.ts';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { verdictLine } from '../../kit/status.ts';
import { World } from '../../kit/world.ts';
import { Authority } from './support/authority.ts';

// This file may run on several servers at once.
const suffix = randomBytes(4).toString('hex');
const WITH_PASSWORD = `with-password-${suffix}`;
const WITH_TLS = `with-tls-${suffix}`;
const PASSWORD = 'a plain "password" with signs';

const folder = folderOfFile();
/** Its Redis has the users that ship. */
let byAcl: World;
let byPassword: World;
/** Undefined where this Redis was built without TLS. */
let byTls: World | undefined;

beforeAll(async () => {
  byAcl = await World.start('approximate', { otherNamespaces: [WITH_PASSWORD, WITH_TLS] });
  byPassword = await withPassword();
  byTls = await withTls();
});
afterAll(() => byAcl?.stop());

async function withPassword(): Promise<World> {
  const redis = await startRedis({ requirepass: PASSWORD });
  return await byAcl.addTarget(WITH_PASSWORD, 'approximate', {
    own: {
      redis,
      limiterUser: { username: 'default', password: PASSWORD },
      secret: { password: PASSWORD },
    },
  });
}

async function withTls(): Promise<World | undefined> {
  const users = makeRedisUsers();
  // The limiters dial the address, the operator uses the name of the Service.
  const authority = await Authority.in(folder, 'ours');
  const tls = await authority.issue('redis', `DNS:redis.${WITH_TLS}.svc,IP:127.0.0.1`);
  const redis = await startOverTls({ tls, aclUsers: aclLines(users) });
  if (!redis) return undefined;
  return await byAcl.addTarget(WITH_TLS, 'approximate', {
    own: {
      redis,
      limiterUser: users.limiter,
      caFile: tls.caFile,
      secret: { ...users.operator, 'ca.crt': await authority.pem() },
    },
  });
}

/** The Secret of the login has it, too. */
const OWN_CA = { caSecretName: 'redis-auth' };

function rateLimiterOf(redis: object = {}): object {
  return {
    selector: { matchLabels: { 'app.kubernetes.io/name': 'ratelimiter' } },
    redis: { serviceName: 'redis', authSecretName: 'redis-auth', ...redis },
  };
}

describe.skipIf(withoutRealTime)('a whole demo', { concurrent: true }, () => {
  async function expectBoth(world: World, redis: object = {}): Promise<void> {
    await world.applySpec('whole', { rateLimiter: rateLimiterOf(redis), scenarios: [drift(), ghosts()] });
    const status = await world.ended('whole');
    expect(verdictLine(status)).toMatch(/^Succeeded /);
    expect(status.scenarios).toMatchObject([
      {
        result: 'Violated',
        fault: { proof: 'Confirmed' },
        measures: { underCounted: 0 },
      },
      { result: 'Violated', fault: { proof: 'Confirmed' } },
    ]);
  }

  it(
    'succeeds as the user that ships, with no more rights than are documented',
    keepingTime(async () => {
      expect(aclLines(byAcl.environment.redisUsers).join('\n')).toContain(REDIS_ACL);
      await expectBoth(byAcl);
    }),
  );

  it(
    'succeeds with a password alone',
    keepingTime(() => expectBoth(byPassword)),
  );

  it(
    'succeeds over TLS, with a certificate for the name of the Service',
    keepingTime((context) => expectBoth(byTls ?? context.skip(NO_TLS), { tls: OWN_CA })),
  );
});
