/** What the headers of an answer report about the limit of its caller. Pure. */
import { rateLimitIn, remainingIn } from './rate-limit-field.ts';

/** Each is undefined if no header has it, or if headers have several policies. */
export interface Quota {
  readonly limit?: number;
  readonly windowSeconds?: number;
  readonly remaining?: number;
  /** Until the quota is reset, from the answer on. */
  readonly resetSeconds?: number;
}

/** Larger values of a reset are a time since the epoch, in seconds or milliseconds. */
const EPOCH_SECONDS = 1_000_000_000;
const EPOCH_MS = 1_000_000_000_000;

/** @param at when the answer arrived; milliseconds since the epoch */
export function quotaIn(headers: Headers, at: number): Quota {
  const text = (name: string): string => headers.get(name)?.trim() ?? '';
  const first = (...names: string[]): number | undefined =>
    names.map((name) => numberIn(text(name))).find((value) => value !== undefined);
  const policy = rateLimitIn(text('ratelimit-policy'));
  const current = rateLimitIn(text('ratelimit'));
  const limit = policy.q ?? current.q ?? first('ratelimit-limit', 'x-ratelimit-limit', 'x-rate-limit-limit');
  const remaining =
    remainingIn(text('ratelimit')) ??
    first('ratelimit-remaining', 'x-ratelimit-remaining', 'x-rate-limit-remaining');
  const reset =
    current.t ?? first('ratelimit-reset', 'x-ratelimit-reset', 'x-rate-limit-reset', 'retry-after');
  const resetSeconds = reset === undefined ? undefined : secondsFrom(reset, at);
  return {
    ...(limit !== undefined && { limit }),
    ...(policy.w !== undefined && { windowSeconds: policy.w }),
    ...(remaining !== undefined && { remaining }),
    ...(resetSeconds !== undefined && { resetSeconds }),
  };
}

/** Whether an answer comes from a path with a limiter. */
export function reportsQuota(headers: Headers): boolean {
  return [...headers.keys()].some((name) => /^(x-)?rate-?limit/.test(name));
}

function secondsFrom(reset: number, at: number): number {
  if (reset >= EPOCH_MS) return Math.max(0, (reset - at) / 1000);
  return reset >= EPOCH_SECONDS ? Math.max(0, reset - at / 1000) : reset;
}

function numberIn(text: string): number | undefined {
  return /^\d{1,15}(\.\d{1,6})?$/.test(text) ? Number(text) : undefined;
}
