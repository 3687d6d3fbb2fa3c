/**
 * The fields in which limiters report a quota: RateLimit and RateLimit-Policy of the drafts of the IETF
 * (draft-ietf-httpapi-ratelimit-headers), which are structured fields (RFC 9651), or a number. The limiter's owner
 * controls them, so a value is a claim, and an ambiguous one is not used. Pure.
 */
import { parseDictionary, parseList } from 'structured-headers';

/** Longer than any such header; also bounds the work. */
const MOST_CHARACTERS = 1024;
/** Up to this many digits, more than any limit has, are exact as a number. */
const DIGITS = /^[0-9]{1,15}$/;

/** Numbers of one policy, by the names of the later drafts: quota, window, remaining quota, time until a reset. */
export type RateLimitField = Readonly<Partial<Record<'q' | 'w' | 'r' | 't', number>>>;

/** The members of the combined field of the first drafts. */
const FIRST_NAMES = { limit: 'q', remaining: 'r', reset: 't' } as const;

/**
 * What a field reports of its only policy; empty if that cannot be read. Supported are
 *
 * - of the later drafts: `RateLimit: "default";r=15;t=40`, `RateLimit-Policy: "default";q=20;w=60`;
 * - of the first ones: `RateLimit: limit=20, remaining=15, reset=40`, `RateLimit-Policy: 20;w=60`.
 *
 * A field of several policies cannot be used: it does not show which of them the caller reaches first.
 */
export function rateLimitIn(value: string): RateLimitField {
  if (value.length > MOST_CHARACTERS) return {};
  return attempt(() => combined(value)) ?? attempt(() => onePolicy(value)) ?? {};
}

/** The remaining quota in such a field, or in one with only a number; undefined: none can be read. */
export function remainingIn(value: string): number | undefined {
  return DIGITS.test(value) ? Number(value) : rateLimitIn(value).r;
}

function combined(value: string): RateLimitField | undefined {
  const dictionary = parseDictionary(value);
  const entries = Object.entries(FIRST_NAMES).flatMap(([name, short]) => {
    const number = numberOf(dictionary.get(name)?.[0]);
    return number === undefined ? [] : [[short, number] as const];
  });
  // Of a repeated member, the parser keeps the last.
  const isRepeated = value.split(',').length !== dictionary.size;
  return entries.length === 0 ? undefined : isRepeated ? {} : Object.fromEntries(entries);
}

function onePolicy(value: string): RateLimitField | undefined {
  const members = parseList(value);
  // `10, 10;w=60`: a first draft has the limit in front of the policies.
  const policies = members.filter(([item, parameters]) => typeof item !== 'number' || parameters.size > 0);
  const [policy] = policies.length > 0 ? policies : members;
  if (!policy || policies.length > 1 || (policies.length === 0 && members.length > 1)) return undefined;
  const [item, parameters] = policy;
  const quota = numberOf(item) ?? numberOf(parameters.get('q'));
  const rest = (['w', 'r', 't'] as const).map((name) => [name, numberOf(parameters.get(name))] as const);
  return Object.fromEntries([['q', quota] as const, ...rest].filter(([, number]) => number !== undefined));
}

function numberOf(item: unknown): number | undefined {
  return Number.isSafeInteger(item) && (item as number) >= 0 ? (item as number) : undefined;
}

/** The parser throws for values that are no structured fields. */
function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
