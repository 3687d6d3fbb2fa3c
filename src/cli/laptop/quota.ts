/** What the headers of an answer report about the limit of its caller. Pure. */
import { remainingIn } from '../../subjects/ratelimiter/interfaces/http/remaining-field.ts';

/** Each is undefined if no header has it, or if headers have several policies. */
export interface Quota {
  readonly limit?: number;
  readonly windowSeconds?: number;
  readonly remaining?: number;
  /** Until the quota is reset, from the answer on. */
  readonly resetSeconds?: number;
}

const MOST_CHARACTERS = 1024;
/** Larger values of a reset are a time since the epoch, in seconds or milliseconds. */
const EPOCH_SECONDS = 1_000_000_000;
const EPOCH_MS = 1_000_000_000_000;

/** @param at when the answer arrived; milliseconds since the epoch */
export function quotaIn(headers: Headers, at: number): Quota {
  const text = (name: string): string | undefined => {
    const value = headers.get(name)?.trim();
    return value !== undefined && value.length <= MOST_CHARACTERS ? value : undefined;
  };
  const first = (...names: string[]): number | undefined =>
    names.map((name) => numberIn(text(name))).find((value) => value !== undefined);
  const policy = text('ratelimit-policy');
  const current = text('ratelimit');
  const limit =
    parameterIn(policy, 'q') ??
    leadingNumberIn(policy) ??
    memberIn(current, 'limit') ??
    first('ratelimit-limit', 'x-ratelimit-limit', 'x-rate-limit-limit');
  const remaining =
    (current === undefined ? undefined : remainingIn(current)) ??
    first('ratelimit-remaining', 'x-ratelimit-remaining', 'x-rate-limit-remaining');
  const reset =
    parameterIn(current, 't') ??
    memberIn(current, 'reset') ??
    first('ratelimit-reset', 'x-ratelimit-reset', 'x-rate-limit-reset', 'retry-after');
  const windowSeconds = parameterIn(policy, 'w');
  const resetSeconds = reset === undefined ? undefined : secondsFrom(reset, at);
  return {
    ...(limit !== undefined && { limit }),
    ...(windowSeconds !== undefined && { windowSeconds }),
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

/** `10;w=60` and `10, 10;w=60` have the limit in front, as the first drafts of the IETF. */
function leadingNumberIn(value: string | undefined): number | undefined {
  return numberIn(onePolicy(value)?.split(';')[0]?.trim());
}

/** `"default";q=10;w=60`: a parameter of the only policy. */
function parameterIn(value: string | undefined, name: string): number | undefined {
  const found = new RegExp(`;\\s*${name}=(\\d+)(?=\\s*(;|$))`).exec(onePolicy(value) ?? '');
  return numberIn(found?.[1]);
}

/** `limit=10, remaining=9, reset=60`. */
function memberIn(value: string | undefined, name: string): number | undefined {
  return numberIn(new RegExp(`(?:^|,)\\s*${name}=(\\d+)(?=\\s*(,|$))`).exec(value ?? '')?.[1]);
}

/** A value of several policies does not show which one applies. */
function onePolicy(value: string | undefined): string | undefined {
  const policies = value?.split(',').filter((part) => /[;"]/.test(part));
  return policies?.length === 1 ? policies[0]?.trim() : value?.includes(',') ? undefined : value;
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}(\.\d{1,6})?$/.test(text) ? Number(text) : undefined;
}
