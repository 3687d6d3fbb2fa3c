import { expect, it } from 'vitest';
import { historyEvent } from '../../history/events.ts';
import { httpInterfaceSchema } from '../spec/http-schema.ts';
import { completed, rateLimiterSchema } from '../spec/schema.ts';
import { type CountTools, placeOf, sampleCounts } from './counts.ts';
import { HttpCallers } from './http/http-callers.ts';

const http = httpInterfaceSchema.parse({ path: '/$(key)' });
const limiter = (count: object | undefined) =>
  completed(
    rateLimiterSchema.parse({
      selector: { matchLabels: { app: 'x' } },
      http,
      redis: { serviceName: 'redis', ...(count && { count }) },
    }),
  );

/** The place of a count of this caller. */
const placeFor = (count: object | undefined, key: string) =>
  placeOf({ callers: new HttpCallers(http, {}, 5), limiter: limiter(count) }, key);

it('is read at the key of the caller, and no other', () => {
  const hash = { type: 'Hash', field: 'n' };
  const [set, address] = [{ type: 'SortedSet' }, { key: 'ip:198.18.0.5', pattern: 'ip:198.1[89].*' }];
  const plain = { key: 'rl:demo-a', type: 'String', pattern: 'rl:demo-*' };
  expect(placeFor({ key: 'rl:$(key)' }, 'demo-a')).toEqual(plain);
  const tagged = { ...hash, key: 'h:{demo-a}', pattern: 'h:{demo-*}' };
  expect(placeFor({ ...hash, key: 'h:{$(key)}' }, 'demo-a')).toEqual(tagged);
  expect(placeFor({ ...set, key: 'ip:$(address)' }, 'demo-a')).toEqual({ ...set, ...address });
});

it('is not read if the spec has no key for it', () => {
  expect(() => placeFor(undefined, 'demo-a')).toThrow(TypeError);
});

it('is granted by a pattern that takes what stands in the spec literally', () => {
  expect(placeFor({ key: 'a*[b]?\\$(key)' }, 'demo-a').pattern).toBe('a\\*\\[b\\]\\?\\\\demo-*');
});

it.each(['rl', 'rl:$(key) x', `${'x'.repeat(256)}$(key)`, ''])('has a key of one caller: not "%s"', (key) => {
  expect(
    rateLimiterSchema.safeParse({
      selector: { matchLabels: { app: 'x' } },
      http,
      redis: { serviceName: 'r', count: { key } },
    }).success,
  ).toBe(false);
});

it.each([
  ['counts', async () => await Promise.resolve(Number.MAX_VALUE)],
  ['fails with', async () => await Promise.reject(new Error('x'.repeat(5000)))],
])('a sample can be read again whatever Redis %s', async (_, count) => {
  const redis = { count } as Partial<CountTools['redis']> as CountTools['redis'];
  const callers = new HttpCallers(http);
  const tools = { callers, limiter: limiter({ key: 'rl:$(key)' }), now: () => 1, redis };
  const sample = await sampleCounts(tools, 'demo-a', { a: 1 }, new AbortController().signal);
  const event = { kind: 'count', key: 'demo-a', ...sample, inFlight: {} };
  expect(JSON.stringify(event).length).toBeLessThan(512);
  expect(historyEvent.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
});
