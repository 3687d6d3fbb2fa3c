import { expect, it } from 'vitest';
import { storeOfFake } from '../testing/fake-store.fixture.ts';
import { RedisConnections } from './redis-client.ts';
import { RedisClientError } from './redis-error.ts';

const place = { key: 'rl:demo-a', type: 'String', pattern: 'rl:demo-*' } as const;
const server = (has: boolean, count: number) => ({ has: () => has, count: async () => count });

it('a count is that of the server of its key', async () => {
  expect(await storeOfFake(server(true, 7), server(false, 8)).count(place)).toBe(7);
  expect(await storeOfFake(server(false, 7), server(true, 8)).count(place)).toBe(8);
});

it('a count is not read if no server has its key', async () => {
  await expect(storeOfFake(server(false, 7), server(false, 8)).count(place)).rejects.toThrow(
    RedisClientError,
  );
});

it.each([
  ['has every key without slots', undefined, [true, true]],
  [
    'has the keys of its first and last slots',
    [
      [12_182, 12_182],
      [11_050, 11_058],
    ],
    [true, true],
  ],
  [
    'has no key of the slots around its own',
    [
      [12_183, 16_383],
      [0, 11_057],
    ],
    [false, false],
  ],
] as const)('a server %s', (_, slots, expected) => {
  const target = { podName: 'redis-0', host: '127.0.0.1', port: 6379, tls: false, ...(slots && { slots }) };
  const redis = new RedisConnections(target, 'session');
  expect(['foo', 'somekey'].map((key) => redis.has(key))).toEqual(expected);
});
