import { describe, expect, it } from 'vitest';
import { quotaIn, reportsQuota } from './quota.ts';

const AT = 1_800_000_000_000;
const quota = (headers: Record<string, string>) => quotaIn(new Headers(headers), AT);

describe('the quota in headers', () => {
  it.each<[string, Record<string, string>, object]>([
    [
      'three fields of the first drafts',
      {
        'RateLimit-Policy': '10;w=60',
        'RateLimit-Limit': '10',
        'RateLimit-Remaining': '9',
        'RateLimit-Reset': '60',
      },
      { limit: 10, windowSeconds: 60, remaining: 9, resetSeconds: 60 },
    ],
    [
      'the combined field',
      { 'RateLimit-Policy': '10;w=60', RateLimit: 'limit=10, remaining=9, reset=58' },
      { limit: 10, windowSeconds: 60, remaining: 9, resetSeconds: 58 },
    ],
    [
      'the later drafts',
      { 'RateLimit-Policy': '"10-in-1min"; q=10; w=60; pk=:Yw==:', RateLimit: '"10-in-1min"; r=9; t=60' },
      { limit: 10, windowSeconds: 60, remaining: 9, resetSeconds: 60 },
    ],
    [
      'a reset in seconds since the epoch',
      { 'X-RateLimit-Limit': '20', 'X-RateLimit-Remaining': '19', 'X-RateLimit-Reset': '1800000030' },
      { limit: 20, remaining: 19, resetSeconds: 30 },
    ],
    ['a reset in milliseconds', { 'X-RateLimit-Reset': '1800000005000' }, { resetSeconds: 5 }],
    ['Retry-After', { 'Retry-After': '17' }, { resetSeconds: 17 }],
    ['nothing of a date', { 'Retry-After': 'Wed, 21 Oct 2026 07:28:00 GMT' }, {}],
    ['nothing of two policies', { 'RateLimit-Policy': '"a";q=10;w=1, "b";q=100;w=60' }, {}],
    ['nothing of text', { 'X-RateLimit-Limit': 'ten', RateLimit: 'x'.repeat(2000) }, {}],
  ])('is read from %s', (_, headers, expected) => {
    expect(quota(headers)).toEqual(expected);
  });

  it.each([
    ['RateLimit', true],
    ['x-ratelimit-limit', true],
    ['X-Rate-Limit-Remaining', true],
    ['X-Api-Rate', false],
  ])('%s shows a limiter: %s', (name, expected) => {
    expect(reportsQuota(new Headers({ [name]: '1' }))).toBe(expected);
  });
});
