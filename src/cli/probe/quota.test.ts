import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quotaIn, reportsQuota } from './quota.ts';

const AT = 1_800_000_000_000;

describe('the quota in headers', () => {
  it.each<[string, Record<string, string | string[]>, object]>([
    [
      'three fields of the first drafts',
      {
        'ratelimit-policy': '10;w=60',
        'ratelimit-limit': '10',
        'ratelimit-remaining': '9',
        'ratelimit-reset': '60',
      },
      { limit: 10, windowSeconds: 60, resetSeconds: 60 },
    ],
    [
      'the combined field',
      { 'ratelimit-policy': '10;w=60', ratelimit: 'limit=10, remaining=9, reset=58' },
      { limit: 10, windowSeconds: 60, resetSeconds: 58 },
    ],
    [
      'the later drafts',
      { 'ratelimit-policy': '"10-in-1min"; q=10; w=60; pk=:Yw==:', ratelimit: '"10-in-1min"; r=9; t=60' },
      { limit: 10, windowSeconds: 60, resetSeconds: 60 },
    ],
    [
      'a reset in seconds since the epoch',
      { 'x-ratelimit-limit': '20', 'x-ratelimit-reset': '1800000030' },
      { limit: 20, resetSeconds: 30 },
    ],
    ['the names of koa-ratelimit', { 'rate-limit-reset': '1800000030' }, { resetSeconds: 30 }],
    ['a reset in milliseconds', { 'x-ratelimit-reset': '1800000005000' }, { resetSeconds: 5 }],
    ['Retry-After', { 'retry-after': '17' }, { resetSeconds: 17 }],
    ['the last of two parameters, as RFC 9651 has it', { ratelimit: '"a";t=5;t=6' }, { resetSeconds: 6 }],
    ['a name with separators in it', { ratelimit: '"a,b;t=7 \\" c";t=15' }, { resetSeconds: 15 }],
    ['nothing of a date', { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, {}],
    [
      'two policies, of which none is taken',
      { 'ratelimit-policy': ['"a";q=10;w=1', '100;w=60'] },
      {
        policies: [
          { q: 10, w: 1 },
          { q: 100, w: 60 },
        ],
      },
    ],
    ['nothing of a repeated member', { ratelimit: 'limit=20, limit=30, reset=40' }, {}],
    ['nothing of a policy next to a member', { ratelimit: 'reset=5, "a";t=6' }, {}],
    ['nothing of a quote that is never closed', { ratelimit: '"default;t=15' }, {}],
    ['nothing of numbers that are none of a limit', { 'ratelimit-policy': '"a";q=-1;w=1.5' }, {}],
    ['nothing of text', { 'x-ratelimit-limit': 'ten', ratelimit: 'x'.repeat(2000) }, {}],
  ])('is read from %s', (_, headers, expected) => {
    expect(quotaIn(headers, AT)).toEqual(expected);
  });

  it('of a later answer is as from the first one', () => {
    expect(quotaIn({ 'retry-after': '17' }, AT + 3000, AT)).toEqual({ resetSeconds: 20 });
  });

  it('is numbers or nothing, whatever a header holds', () => {
    const pieces = fc.constantFrom('"', '\\', ',', ';', '=', ' ', 'q', 'w', 't', 'limit', 'reset', '5', '-');
    const garbage = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(garbage, garbage, (policy, ratelimit) => {
        const { policies = [], ...quota } = quotaIn({ 'ratelimit-policy': policy, ratelimit }, AT);
        const found = [quota, ...policies].flatMap(Object.values).filter((value) => value !== undefined);
        expect(found.every((value) => Number.isSafeInteger(value) && value >= 0)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['ratelimit', true],
    ['x-ratelimit-limit', true],
    ['x-rate-limit-remaining', true],
    ['x-api-rate', false],
  ])('%s shows a limiter: %s', (name, expected) => {
    expect(reportsQuota({ [name]: '1' })).toBe(expected);
  });
});
