import { describe, expect, it } from 'vitest';
import { actions } from '../../diagnosis/index.ts';
import { remedyOf } from './remedy.ts';
import { type RateLimiterSpec, rateLimiterSchema } from './schema.ts';

const reference = rateLimiterSchema.parse({
  selector: { matchLabels: { app: 'x' } },
  interface: 'Reference',
  redis: { service: 'redis' },
});
const http: RateLimiterSpec = rateLimiterSchema.parse({
  ...reference,
  interface: 'HTTP',
  http: { path: '/$(key)' },
});

describe('remedyOf', () => {
  it('a suggestion for each known action is within its bound', () => {
    const said = actions.flatMap((action) =>
      [reference, http].map((limiter) => remedyOf({ action, pod: 'p'.repeat(253) }, limiter, 3)),
    );
    for (const text of said) {
      expect(text.length).toBeLessThanOrEqual(320);
      expect(text).not.toMatch(/does not know/);
    }
  });

  it('a suggestion has numbers and names from the operator only', () => {
    expect(remedyOf({ action: 'change-limit' }, reference, 3)).toMatch(/from 10 to 3 .* 3 pods .* most 9/);
    expect(remedyOf({ action: 'restart-component', pod: 'limiter-1' }, reference, 3)).toBe(
      'Restart it: kubectl delete pod limiter-1',
    );
    expect(remedyOf({ action: 'FLUSHALL', pod: 'x' }, reference, 3)).toMatch(/not know the action/);
  });

  it('a suggestion names no interface that a limiter behind HTTP does not have', () => {
    for (const action of ['reset-counter', 'change-limit']) {
      expect(remedyOf({ action }, http, 3)).not.toMatch(/POST/);
      expect(remedyOf({ action }, reference, 3)).toMatch(/POST \/limit/);
    }
  });
});
