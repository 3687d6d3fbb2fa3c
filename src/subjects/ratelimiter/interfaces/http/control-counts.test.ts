import { expect, it } from 'vitest';
import type { StoreConnections } from '../../../redis/client/store-connections.ts';
import type { CounterSample } from '../../history/counter-sample.ts';
import { podsProblem } from './control-counts.ts';

const redis = { name: 'redis-0' } as StoreConnections;
const even = (count: number): Map<string, number> => new Map(['a', 'b', 'c'].map((pod) => [pod, count]));

/** Of a caller that sent 30 requests, all of which were admitted. */
function problem(change: Partial<Pick<CounterSample, 'admitted' | 'stored'>>): string | undefined {
  const sample = { readAt: 0, endedAt: 0, admitted: even(10), stored: 30, elsewhere: [], problems: [] };
  return podsProblem({ ...sample, ...change }, { admitted: even(10), sent: 30 }, { redis });
}

it('finds nothing wrong if sender, pods and Redis agree', () => {
  expect(problem({})).toBeUndefined();
});

it.each<[string, Parameters<typeof problem>[0], RegExp]>([
  ['the counts are in another Redis', { stored: 0 }, /redis-0 holds 0\. Name the Redis/],
  ['some counts are in another Redis', { stored: 20 }, /the pods count 30 .*redis-0 holds 20/],
  [
    'a pod counts less than the sender was admitted',
    { admitted: new Map([...even(10), ['b', 4]]) },
    /sender .* 30 of 30 .*\(a 10, b 10, c 10\), .*pods count 24 \(a 10, b 4, c 10\)/,
  ],
  [
    'a pod counts more than the sender was admitted',
    { admitted: new Map([...even(10), ['b', 14]]), stored: 34 },
    /the pods count 34 .*another client uses keys/,
  ],
  ['Redis holds more than the pods', { stored: 32 }, /the pods count 30 .*redis-0 holds 32/],
])('reports that %s', (_, change, expected) => {
  expect(problem(change)).toMatch(expected);
});
