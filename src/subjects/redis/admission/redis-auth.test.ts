import { describe, expect, it } from 'vitest';
import { secretOf } from '../../../../test/fixtures/subjects/secret.ts';
import { expectRefusal } from '../../../../test/fixtures/subjects/targets/refusal.ts';
import type { Secret } from '../../cluster.ts';
import { type AuthUse, readRedisAuth } from './redis-auth.ts';

const secret = (values: Record<string, string>, type = 'chaosdemo.dev/redis-auth', name = 'my-redis-auth') =>
  secretOf(type, values, name);

const use: AuthUse = { serviceName: 'my-redis', tls: { caSecretName: 'my-redis-auth' } };

const ca = '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n';

describe('readRedisAuth', () => {
  it('decodes the members of a Secret, and omits missing or empty ones', () => {
    expect(readRedisAuth(secret({ username: 'chaosdemo', password: 'pä ss' }), use)).toEqual({
      username: 'chaosdemo',
      password: 'pä ss',
    });
    expect(readRedisAuth(secret({ username: '', password: 'p' }), use)).toEqual({ password: 'p' });
  });

  it.each<[string, Secret]>([
    ['another type', secret({ password: 'hunter2' }, 'Opaque')],
    ['a token of a service account', secret({ token: 'hunter2' }, 'kubernetes.io/service-account-token')],
    ['a user without a password', secret({ username: 'hunter2' })],
    ['nothing of use', secret({ Password: 'hunter2' })],
    ['a list that is too long', secret({ password: 'hunter2', service: 'a'.repeat(20_000) })],
    ['a password that is too long', secret({ password: 'hunter2'.repeat(200) })],
  ])('refuses %s without repeating a value', (_, given) => {
    expectRefused(given, use);
  });

  it('is for the Services that its key service names, and no other', () => {
    const named = secret({ password: 'hunter2', service: 'my-redis, my-redis-b\n' }, undefined, 'shared');
    expect(readRedisAuth(named, use)).toEqual({ password: 'hunter2' });
    expect(readRedisAuth(named, { ...use, serviceName: 'my-redis-b' })).toEqual({ password: 'hunter2' });
    for (const serviceName of ['my-redis-c', 'my-redi', 'my-redis,', '']) {
      expectRefused(named, { ...use, serviceName });
    }
    // Its name counts only where it does not say.
    const elsewhere = secret({ password: 'hunter2', service: 'other' });
    expectRefused(elsewhere, use);
  });

  it('is for the Service in its name if it has no key for one', () => {
    const silent = secret({ password: 'hunter2' });
    expectRefused(silent, { ...use, serviceName: 'trap' });
    expectRefused(secret({ password: 'hunter2' }, undefined, 'shared'), use);
    expectRefused(secret({ password: 'hunter2' }, undefined, '-auth'), { ...use, serviceName: 'x' });
  });

  it.each([undefined, {}, { caSecretName: 'another' }])(
    'is for servers with a certificate of its ca.crt: not with tls %o',
    (tls) => {
      const withCa = secret({ password: 'hunter2', 'ca.crt': ca });
      expectRefused(withCa, { ...use, tls });
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
    expectRefused(given, { ...use, tls: { serverName } });
    const same = { ...use, tls: { serverName: named || undefined } };
    expect(readRedisAuth(given, same)).toEqual({ password: 'hunter2' });
  });
});

function expectRefused(given: Secret, how: AuthUse): void {
  expectRefusal(() => readRedisAuth(given, how), 'RedisAuthInvalid');
}
