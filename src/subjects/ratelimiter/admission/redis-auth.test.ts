import { describe, expect, it } from 'vitest';
import type { Secret } from '../../cluster.ts';
import { Refusal } from '../../targets/refusal.ts';
import { readRedisAuth } from './redis-auth.ts';

function secret(values: Record<string, string>, type = 'chaosdemo.dev/redis-auth'): Secret {
  const data = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  return { metadata: { name: 'redis-auth' }, type, data };
}

const ca = '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n';

describe('readRedisAuth', () => {
  it('decodes what is there and leaves out what is missing or empty', () => {
    expect(readRedisAuth(secret({ username: 'chaosdemo', password: 'pä ss', 'ca.crt': ca }))).toEqual({
      username: 'chaosdemo',
      password: 'pä ss',
      ca,
    });
    expect(readRedisAuth(secret({ username: '', password: 'p' }))).toEqual({ password: 'p' });
    expect(readRedisAuth(secret({ 'ca.crt': ca }))).toEqual({ ca });
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
    ['a ca.crt that is none', secret({ password: 'p', 'ca.crt': 'hunter2' }), /PEM/],
  ])('refuses %s without repeating a value', (_, given, message) => {
    let thrown: unknown;
    try {
      readRedisAuth(given);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Refusal);
    expect((thrown as Refusal).reason).toBe('RedisAuthInvalid');
    expect((thrown as Refusal).message).toMatch(message);
    expect((thrown as Refusal).message).not.toContain('hunter2');
  });
});
