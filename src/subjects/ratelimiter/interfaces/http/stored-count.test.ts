import type { CountPlace, StoreConnections } from '@chaosdemo/redis-faults';
import { expect, it } from 'vitest';
import { httpInterfaceSchema } from '../../spec/http-schema.ts';
import { completed, rateLimiterSchema } from '../../spec/schema.ts';
import { HttpCallers } from './http-callers.ts';
import { patternOf, storedCount } from './stored-count.ts';

const http = httpInterfaceSchema.parse({ path: '/$(key)' });
const limiter = (count: object | undefined) =>
  completed(
    rateLimiterSchema.parse({
      selector: { matchLabels: { app: 'x' } },
      http,
      redis: { service: 'redis', ...(count && { count }) },
    }),
  );

/** The places of a count in a Redis that has 7 at every key. */
async function placesOf(count: object | undefined, key: string): Promise<CountPlace[]> {
  const places: CountPlace[] = [];
  const redis = {
    count: async (place: CountPlace) => {
      places.push(place);
      return 7;
    },
  };
  const callers = new HttpCallers(http, {}, 5);
  const parts = { callers, limiter: limiter(count), redis: redis as unknown as StoreConnections };
  expect(await storedCount(parts, key)).toBe(7);
  return places;
}

it('is read at the key of the caller, and no other', async () => {
  expect(await placesOf({ key: 'rl:$(key)' }, 'demo-a')).toEqual([
    { key: 'rl:demo-a', type: 'String', pattern: 'rl:demo-*' },
  ]);
  expect(await placesOf({ key: 'h:{$(key)}', type: 'Hash', field: 'n' }, 'demo-a')).toEqual([
    { key: 'h:{demo-a}', type: 'Hash', field: 'n', pattern: 'h:{demo-*}' },
  ]);
  expect(await placesOf({ key: 'ip:$(address)', type: 'SortedSet' }, 'demo-a')).toEqual([
    { key: 'ip:198.18.0.5', type: 'SortedSet', pattern: 'ip:198.1[89].*' },
  ]);
});

it('is not read if the spec has no key for it', async () => {
  await expect(placesOf(undefined, 'demo-a')).rejects.toThrow(TypeError);
});

it('is granted by a pattern that takes what stands in the spec literally', () => {
  expect(patternOf('a*[b]?\\$(key)')).toBe('a\\*\\[b\\]\\?\\\\demo-*');
});

it.each(['rl', 'rl:$(key) x', `${'x'.repeat(256)}$(key)`, ''])('has a key of one caller: not "%s"', (key) => {
  expect(
    rateLimiterSchema.safeParse({
      selector: { matchLabels: { app: 'x' } },
      http,
      redis: { service: 'r', count: { key } },
    }).success,
  ).toBe(false);
});
