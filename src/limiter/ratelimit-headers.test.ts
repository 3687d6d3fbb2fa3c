import { describe, expect, it } from 'vitest';
import { rateLimitHeaders } from './ratelimit-headers.ts';

const QUOTA = { allowed: true, limit: 10, windowMs: 60_000, remaining: 3, windowEndsAt: 100_000 };

describe('rateLimitHeaders', () => {
  it('states policy, rest and seconds to reset as structured fields', () => {
    expect(rateLimitHeaders(QUOTA, 57_500)).toEqual({
      'ratelimit-policy': '"fixed-window";q=10;w=60',
      ratelimit: '"fixed-window";r=3;t=43',
    });
  });

  it('tells who is denied to come back when the window is over', () => {
    const headers = rateLimitHeaders({ ...QUOTA, allowed: false, remaining: 0 }, 57_500);
    expect(headers['retry-after']).toBe('43');
    expect(57_500 + 43 * 1000).toBeGreaterThanOrEqual(QUOTA.windowEndsAt);
  });

  it('rounds a window shorter than a second up to the whole second the header can say', () => {
    expect(rateLimitHeaders({ ...QUOTA, windowMs: 250 }, 0)['ratelimit-policy']).toBe(
      '"fixed-window";q=10;w=1',
    );
  });
});
