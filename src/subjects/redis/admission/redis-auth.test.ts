import { describe, expect, it } from 'vitest';
import { secretOf } from '../../../../test/fixtures/subjects/secret.ts';
import { expectRefusal } from '../../../../test/fixtures/subjects/targets/refusal.ts';
import type { Secret } from '../../cluster.ts';
import { type AuthUse, readRedisAuth } from './redis-auth.ts';

const secret = (values: Record<string, string>, type = 'chaosdemo.dev/redis-auth', name = 'redis-auth') =>
  secretOf(type, values, name);

const use: AuthUse = { serviceName: 'redis', tls: { caSecretName: 'redis-auth' } };

const ca = '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n';

describe('readRedisAuth', () => {
  it('decodes the members of a Secret, and omits missing or empty ones', () => {
    expect(readRedisAuth(secret({ username: 'chaosdemo', password: 'pä ss' }), use)).toEqual({
      username: 'chaosdemo',
      password: 'pä ss',
    });
    expect(readRedisAuth(secret({ username: '', password: 'p' }), use)).toEqual({ password: 'p' });
  });

  it.each<[string, Secret, RegExp]>([
    ['another type', secret({ password: 'hunter2' }, 'Opaque'), /is of type Opaque and was not read/],
    [
      'a token of a service account',
      secret({ token: 'hunter2' }, 'kubernetes.io/service-account-token'),
      /type/,
    ],
    ['a user without a password', secret({ username: 'hunter2' }), /no password/],
    ['nothing of use', secret({ Password: 'hunter2' }), /no password/],
    [
      'a list that is too long',
      secret({ password: 'hunter2', service: 'a'.repeat(20_000) }),
      /a service of more/,
    ],
    ['a password that is too long', secret({ password: 'hunter2'.repeat(200) }), /more than 1024 characters/],
  ])('refuses %s without repeating a value', (_, given, message) => {
    expectRefused(given, use, message);
  });

  it('is for the Services that its key service names, and no other', () => {
    const named = secret({ password: 'hunter2', service: 'redis, redis-b\n' }, undefined, 'shared');
    expect(readRedisAuth(named, use)).toEqual({ password: 'hunter2' });
    expect(readRedisAuth(named, { ...use, serviceName: 'redis-b' })).toEqual({ password: 'hunter2' });
    for (const serviceName of ['redis-c', 'redi', 'redis,', '']) {
      expectRefused(named, { ...use, serviceName }, /^Secret shared is not for Service /);
    }
    // Its name counts only where it does not say.
    const elsewhere = secret({ password: 'hunter2', service: 'other' });
    expectRefused(elsewhere, use, /key service has to name it .*adds it there$/);
  });

  it('is for the Service in its name if it has no key for one', () => {
    const silent = secret({ password: 'hunter2' });
    expectRefused(silent, { ...use, serviceName: 'trap' }, /kubectl patch secret redis-auth .*"redis,trap"/);
    expectRefused(secret({ password: 'hunter2' }, undefined, 'shared'), use, /is not for Service redis/);
    expectRefused(
      secret({ password: 'hunter2' }, undefined, '-auth'),
      { ...use, serviceName: 'x' },
      /not for/,
    );
  });

  it.each([undefined, {}, { caSecretName: 'another' }])(
    'is for servers with a certificate of its ca.crt: not with tls %o',
    (tls) => {
      const withCa = secret({ password: 'hunter2', 'ca.crt': ca });
      expectRefused(withCa, { ...use, tls }, /name it in redis\.tls\.caSecretName/);
      expect(readRedisAuth(withCa, use)).toEqual({ password: 'hunter2' });
      expect(readRedisAuth(secret({ password: 'p' }), { ...use, tls })).toEqual({ password: 'p' });
    },
  );

  it.each([
    ['another', 'b.example.com', 'a.example.com'],
    ['none', undefined, 'a.example.com'],
    ['one that the Secret lacks', 'b.example.com', ''],
  ])('is for a certificate of its serverName: not with %s in the spec', (_, serverName, named) => {
    const given = secret({ password: 'hunter2', serverName: named });
    expectRefused(given, { ...use, tls: { serverName } }, /redis\.tls\.serverName must be the same/);
    const same = { ...use, tls: { serverName: named || undefined } };
    expect(readRedisAuth(given, same)).toEqual({ password: 'hunter2' });
  });
});

function expectRefused(given: Secret, how: AuthUse, message: RegExp): void {
  expectRefusal(() => readRedisAuth(given, how), 'RedisAuthInvalid', message);
}
