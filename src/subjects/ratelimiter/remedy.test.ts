import { describe, expect, it } from 'vitest';
import { actions } from '../../diagnosis/index.ts';
import { remedyOf } from './remedy.ts';
import { type RateLimiterSpec, rateLimiterSchema } from './schema.ts';

const reference = rateLimiterSchema.parse({
  selector: { matchLabels: { app: 'x' } },
  interface: { type: 'Reference' },
  redis: { service: { name: 'redis' } },
});
const http: RateLimiterSpec = {
  ...reference,
  interface: { type: 'HTTP', http: {} } as RateLimiterSpec['interface'],
};

describe('remedyOf', () => {
  it('says of each action what would be done, within its bound', () => {
    const said = actions.flatMap((action) =>
      [reference, http].map((limiter) => remedyOf({ action, pod: 'p'.repeat(253) }, limiter, 3)),
    );
    for (const text of said) {
      expect(text).toMatch(/^(Would|Nothing would)/);
      expect(text.length).toBeLessThanOrEqual(320);
      expect(text).not.toMatch(/does not know/);
    }
  });

  it('takes numbers and names from the operator alone', () => {
    expect(remedyOf({ action: 'change-limit' }, reference, 3)).toMatch(
      /from 10 to 3 requests: 3 nodes .* 9 through/,
    );
    expect(remedyOf({ action: 'restart-component', pod: 'limiter-1' }, reference, 3)).toBe(
      'Would restart it: kubectl delete pod limiter-1',
    );
    expect(remedyOf({ action: 'FLUSHALL', pod: 'x' }, reference, 3)).toMatch(/^Nothing would be done/);
  });

  it('promises no interface that a rate limiter behind HTTP does not have', () => {
    for (const action of ['reset-counter', 'change-limit']) {
      expect(remedyOf({ action }, http, 3)).toMatch(/no interface/);
      expect(remedyOf({ action }, reference, 3)).toMatch(/POST \/limit/);
    }
  });
});
