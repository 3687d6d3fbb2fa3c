import { describe, expect, it } from 'vitest';
import { redisHints, unread, type Variable } from './variables.ts';

const variables = (values: Record<string, string>): Variable[] =>
  Object.entries(values).map(([name, value]) => ({ name, value, from: 'the pod' }));

describe('variables about Redis', () => {
  it.each<[string, Record<string, string>, object[]]>([
    ['a URL', { STORE: 'redis://redis:6380/0' }, [{ host: 'redis', port: 6380, tls: false, login: false }]],
    ['a URL with a login', { REDIS_URL: 'redis://u:p@r' }, [{ host: 'r', tls: false, login: true }]],
    [
      'a URL with TLS',
      { REDIS_URL: 'rediss://r.shop.svc' },
      [{ host: 'r.shop.svc', tls: true, login: false }],
    ],
    ['a place of a password', { REDIS_URL: 'redis://:$(PASSWORD)@r' }, [{ host: 'r', login: true }]],
    ['a host', { REDIS_HOST: 'redis-master' }, [{ host: 'redis-master' }]],
    ['a host and a port', { VALKEY_ADDR: 'valkey:6379' }, [{ host: 'valkey', port: 6379 }]],
    ['a password besides', { REDIS_HOST: 'r', REDIS_PASSWORD: 'p' }, [{ host: 'r', login: true }]],
    ['no server for a port without a host', { REDIS_PORT: '6379' }, []],
    ['no host of another server', { POSTGRES_HOST: 'db' }, []],
    ['no Sentinels', { REDIS_SENTINEL_HOST: 'sentinel' }, []],
    ['no list of a Cluster', { REDIS_NODES: 'a:6379,b:6379' }, []],
    ['no password', { REDIS_URL_PASSWORD: 'hunter2' }, []],
    ['no shell', { REDIS_HOST: '$(x); rm -rf /' }, []],
    ['nothing that is too long', { REDIS_HOST: 'r'.repeat(3000) }, []],
  ])('name %s', (_, values, expected) => {
    expect(redisHints(variables(values))).toMatchObject(expected);
    expect(redisHints(variables(values))).toHaveLength(expected.length);
  });

  it('in Secrets are not read', () => {
    const secret = { name: 'REDIS_URL', from: 'Secret api' };
    expect(unread([secret, { name: 'OTHER', from: 'the pod' }])).toEqual([secret]);
    expect(redisHints([secret])).toEqual([]);
  });
});
