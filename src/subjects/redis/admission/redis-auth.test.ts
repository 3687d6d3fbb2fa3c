import { describe, expect, it } from 'vitest';
import type { Secret } from '../../cluster.ts';
import { Refusal } from '../../targets/refusal.ts';
import { type AuthUse, readRedisAuth } from './redis-auth.ts';

function secret(
  values: Record<string, string>,
  type = 'chaosdemo.dev/redis-auth',
  name = 'redis-auth',
): Secret {
  const data = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  return { metadata: { name }, type, data };
}

const use = { service: 'redis', tls: true };

const ca = '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n';

describe('readRedisAuth', () => {
  it('decodes the members of a Secret, and omits missing or empty ones', () => {
    expect(readRedisAuth(secret({ username: 'chaosdemo', password: 'pä ss', 'ca.crt': ca }), use)).toEqual({
      username: 'chaosdemo',
      password: 'pä ss',
      ca,
    });
    expect(readRedisAuth(secret({ username: '', password: 'p' }), use)).toEqual({ password: 'p' });
    expect(readRedisAuth(secret({ 'ca.crt': ca }), use)).toEqual({ ca });
  });

  it.each<[string, Secret, RegExp]>([
    ['another type', secret({ password: 'hunter2' }, 'Opaque'), /is of type Opaque and was not read/],
    [
      'a token of a service account',
      secret({ token: 'hunter2' }, 'kubernetes.io/service-account-token'),
      /type/,
    ],
    ['a user without a password', secret({ username: 'hunter2' }), /no password/],
    ['nothing of use', secret({ Password: 'hunter2' }), /neither password nor ca.crt/],
    ['a password that is too long', secret({ password: 'hunter2'.repeat(200) }), /more than 1024 characters/],
    ['65 certificates', secret({ 'ca.crt': ca.repeat(65) }), /^Secret \S+ has 65 .*at most 64 /],
    [
      '65 certificates under another label',
      secret({ 'ca.crt': `${ca}${ca.replaceAll('CERT', 'TRUSTED CERT').repeat(64)}` }),
      /at most 64 /,
    ],
    ['a ca.crt that is too long', secret({ 'ca.crt': ca.repeat(5000) }), /more than 262144 characters/],
    ['a name that is none', secret({ password: 'p', serverName: 'hunter2 ' }), /serverName that is no DNS/],
    ['a ca.crt that is none', secret({ password: 'p', 'ca.crt': 'hunter2' }), /PEM/],
  ])('refuses %s without repeating a value', (_, given, message) => {
    expectRefused(given, use, message);
  });

  it('is for the Services that its key service names, and no other', () => {
    const named = secret({ password: 'hunter2', service: 'redis, redis-b\n' }, undefined, 'shared');
    expect(readRedisAuth(named, use)).toEqual({ password: 'hunter2' });
    expect(readRedisAuth(named, { ...use, service: 'redis-b' })).toEqual({ password: 'hunter2' });
    for (const service of ['redis-c', 'redi', 'redis,', '']) {
      expectRefused(named, { ...use, service }, /^Secret shared is not for Service /);
    }
    // Its name counts only where it does not say.
    const elsewhere = secret({ password: 'hunter2', service: 'other' });
    expectRefused(elsewhere, use, /key service has to name it .*adds it there$/);
  });

  it('is for the Service in its name if it has no key for one', () => {
    const silent = secret({ password: 'hunter2' });
    expectRefused(silent, { ...use, service: 'trap' }, /kubectl patch secret redis-auth .*"redis,trap"/);
    expectRefused(secret({ password: 'hunter2' }, undefined, 'shared'), use, /is not for Service redis/);
    expectRefused(secret({ password: 'hunter2' }, undefined, '-auth'), { ...use, service: 'x' }, /not for/);
  });

  it('sends nothing in the clear if it holds the authority of a TLS server', () => {
    const withCa = secret({ password: 'hunter2', 'ca.crt': ca });
    expectRefused(withCa, { ...use, tls: false }, /in the clear: set redis\.tls/);
    expect(readRedisAuth(secret({ password: 'p' }), { ...use, tls: false })).toEqual({ password: 'p' });
    const named = secret({ password: 'hunter2', serverName: 'a.example.com' });
    expectRefused(named, { ...use, tls: false }, /set redis\.tls/);
    expect(readRedisAuth(named, use)).toEqual({ password: 'hunter2', servername: 'a.example.com' });
  });
});

function expectRefused(given: Secret, how: AuthUse, message: RegExp): void {
  let thrown: unknown;
  try {
    readRedisAuth(given, how);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(Refusal);
  expect((thrown as Refusal).reason).toBe('RedisAuthInvalid');
  expect((thrown as Refusal).message).toMatch(message);
  expect((thrown as Refusal).message).not.toContain('hunter2');
}
