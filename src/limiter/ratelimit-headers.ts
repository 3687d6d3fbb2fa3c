/**
 * The RateLimit response headers of draft-ietf-httpapi-ratelimit-headers (the Structured Fields form: one
 * named policy, its quota and window, and what is left of it). Pure.
 */
import { secondsUntil } from './window.ts';

const POLICY = '"fixed-window"';

export interface QuotaState {
  readonly allowed: boolean;
  readonly limit: number;
  readonly windowMs: number;
  readonly remaining: number;
  readonly windowEndsAt: number;
}

/**
 * `RateLimit-Policy` (q: quota, w: window in seconds), `RateLimit` (r: remaining, t: seconds until reset)
 * and, when denied, `Retry-After`.
 */
export function rateLimitHeaders(quota: QuotaState, now: number): Record<string, string> {
  const reset = secondsUntil(quota.windowEndsAt, now);
  return {
    'ratelimit-policy': `${POLICY};q=${quota.limit};w=${Math.max(1, Math.ceil(quota.windowMs / 1000))}`,
    ratelimit: `${POLICY};r=${quota.remaining};t=${reset}`,
    ...(quota.allowed ? {} : { 'retry-after': String(reset) }),
  };
}
