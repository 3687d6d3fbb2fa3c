/** The words about a Redis, in one snapshot: other tests of this folder assert reasons, figures and fields. */
import { expect, it } from 'vitest';
import { requireMaster } from './admission/redis-topology.ts';
import { requireFound } from './admission/sentinels.ts';
import { adviceOnConnection, adviceOnReply } from './client/advice.ts';
import { admissionFields } from './client/redis-info.ts';

const REDIS = { podName: 'redis-0', host: '10.0.0.7', port: 6379, tls: false, setting: 'rateLimiter.redis' };

const MASTER = {
  redis_version: '7.0.15',
  redis_mode: 'standalone',
  run_id: '0123456789abcdef0123456789abcdef01234567',
  role: 'master',
};

it.each([
  'NOPERM User x has no permissions to run the client|kill command',
  'NOPERM User x has no permissions to run the info command',
  'NOAUTH Authentication required.',
  'WRONGPASS invalid username-password pair',
  'LOADING Redis is loading the dataset in memory',
  "READONLY You can't write against a read only replica.",
  'MISCONF Redis is configured to save RDB snapshots',
  'NOREPLICAS Not enough good replicas to write.',
  'BUSY Redis is busy running a script.',
  'ERR max number of clients reached',
  'OOM command not allowed when used memory > maxmemory',
  'ERR something else',
])('the advice on the reply %s', (reply) => {
  expect(adviceOnReply(reply, REDIS) ?? 'none').toMatchSnapshot();
});

it.each([
  ['certificate required', true],
  ['certificate has expired', true],
  ['self-signed certificate', true],
  ['ECONNREFUSED', true],
  ['ECONNREFUSED', false],
] as const)('the advice on a connection that failed by %s, with TLS: %s', (said, tls) => {
  const target = { podName: 'redis-0', host: '10.0.0.7', port: 6379, tls, servername: 'redis.shop.svc' };
  expect(adviceOnConnection(said, target)).toMatchSnapshot();
});

it.each<[string, Partial<Record<keyof typeof MASTER | 'loading', string>>]>([
  ['a Sentinel', { redis_mode: 'sentinel' }],
  ['a replica', { role: 'slave' }],
  ['what has no run_id', { run_id: '' }],
  ['what has an odd run_id', { run_id: '../../x' }],
  ['what has no role', { role: '' }],
  ['what has no version', { redis_version: '' }],
  ['Redis 6.2', { redis_version: '6.2.14' }],
  ['what loads its data', { loading: '1' }],
])('the words for %s', (_, changes) => {
  const fields = Object.entries({ ...MASTER, ...changes }).map(([key, value]) => `${key}:${value}`);
  expect(() =>
    requireMaster(admissionFields(fields.join('\r\n')), 'redis-0 (10.0.0.7:6379)'),
  ).toThrowErrorMatchingSnapshot();
});

it.each([
  ['no Sentinels', undefined],
  ['other Sentinels', { masterName: 'limits', servers: [] }],
])('the words for a Sentinel that watches, with %s in the spec', (_, sentinels) => {
  const addr = '10.0.0.9:40000';
  const client = {
    id: '7',
    addr,
    ip: '10.0.0.9',
    name: 'sentinel-0a1b2c3d-cmd',
    user: 'default',
    flags: 'N',
  };
  expect(() => requireFound([client], REDIS, sentinels)).toThrowErrorMatchingSnapshot();
});
