import { describe, expect, it } from 'vitest';
import {
  type Counting,
  controlMeasure,
  countingProblem,
  denyingProblem,
  denyingSentence,
} from './controls.ts';

const even = (count: number): Map<string, number> => new Map(['a', 'b', 'c'].map((node) => [node, count]));

function counting(change: Partial<Counting> = {}): Counting {
  return {
    sent: 30,
    open: 0,
    refused: 0,
    allowed: even(10),
    admitted: even(10),
    stored: 30,
    withinMs: 5000,
    ...change,
  };
}

describe('the positive control', () => {
  it('is passed where sender, nodes and Redis say the same, and more than nothing', () => {
    expect(countingProblem(counting(), 'redis-0')).toBeUndefined();
  });

  it.each<[string, Partial<Counting>, RegExp]>([
    [
      'everything is denied',
      { allowed: even(0), admitted: even(0), stored: 0 },
      /allowed none of 30 checks.*denies everything never admits too much.*See why/,
    ],
    [
      'the counts never came to this Redis',
      { stored: 0 },
      /counts elsewhere: spec.subject.rateLimiter.redis names redis-0, which holds none of the 30 .*Name the Redis/,
    ],
    [
      'some of the counts never came to this Redis',
      { stored: 20 },
      /names redis-0, which holds 20 of the 30 .*5000 ms after the last check/,
    ],
    [
      'a node counts less than the sender was allowed',
      { admitted: new Map([...even(10), ['b', 4]]) },
      /sender was allowed 30 of 30 checks \(a 10, b 10, c 10\), and the nodes count 24 \(a 10, b 4, c 10\)/,
    ],
    [
      'a node counts more than the sender was allowed',
      { admitted: new Map([...even(10), ['b', 14]]), stored: 34 },
      /the nodes count 34 .*somebody else uses keys/,
    ],
    [
      'Redis holds more, and a node has turned checks away',
      { stored: 32, refused: 2 },
      /^redis-0 holds 32, which is more than the 30 that the nodes admitted, .*turned 2 checks away with a failure.*counted there and not admitted/,
    ],
    [
      'Redis holds more, and nobody was turned away',
      { stored: 32 },
      /^redis-0 holds 32, which is more than the 30 .*other processes than the selected pods/,
    ],
    ['checks stay without an answer', { open: 2 }, /2 checks of 30 got no proper answer without any fault/],
  ])('fails where %s', (_, change, expected) => {
    expect(countingProblem(counting(change), 'redis-0')).toMatch(expected);
  });
});

describe('the negative control', () => {
  it('is a measure of its own', () => {
    const kept = { limit: 10, sent: 20, allowed: 10, denied: 10 };
    expect(controlMeasure(kept)).toEqual({ name: 'controlAdmitted', value: 10, bound: 10, unit: 'requests' });
    expect(denyingSentence(kept)).toBe(
      'Without a fault, 10 of 20 checks spread over time were allowed where the limit was 10',
    );
  });

  it('says of a limiter that keeps no limit anyway that it does', () => {
    const open = { limit: 10, sent: 20, allowed: 20, denied: 0 };
    expect(denyingProblem(open)).toBeUndefined();
    expect(controlMeasure(open)).toMatchObject({ value: 20, bound: 10, atLeast: true });
    expect(denyingSentence(open)).toMatch(/20 of 20 .* limit was 10: it denies nobody even without a fault/);
  });

  it('takes neither an error nor a missing answer for a denial', () => {
    const failing = {
      limit: 10,
      sent: 20,
      allowed: 10,
      denied: 0,
      problem: 'rl-0: POST /check answered 503: OVERLOADED: wait',
    };
    expect(denyingProblem(failing)).toBe(
      'it is not shown that the rate limiter denies: without any fault 10 of 20 checks on a key with limit 10 were allowed, none was denied, and 10 had another answer or none (rl-0: POST /check answered 503: OVERLOADED: wait), which is no denial. Over its limit it has to answer 429 with allowed false: see in the logs why it failed, or raise subject.rateLimiter.health.timeout',
    );
    expect(controlMeasure(failing)).toMatchObject({ value: 10, atLeast: true });
  });

  it('is passed by a limiter that denied, and tells of what else it answered', () => {
    const some = { limit: 10, sent: 20, allowed: 10, denied: 9, problem: 'rl-0: POST /check answered 503' };
    expect(denyingProblem(some)).toBeUndefined();
    expect(denyingSentence(some)).toBe(
      'Without a fault, 10 of 20 checks spread over time were allowed where the limit was 10; 1 had neither a yes nor a no (rl-0: POST /check answered 503)',
    );
  });
});
