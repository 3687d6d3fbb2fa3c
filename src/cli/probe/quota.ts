/**
 * What the headers of an answer report about the limit of its caller: RateLimit and RateLimit-Policy of the drafts of
 * the IETF (draft-ietf-httpapi-ratelimit-headers), which are structured fields (RFC 9651), or a number in an older one.
 * The limiter's owner controls them, so a value is a claim, and an ambiguous one is not used. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { parseDictionary, parseList } from 'structured-headers';

/** Each is undefined if no header has it, or if headers have several policies. */
export interface Quota {
  /** All, if there are several. */
  readonly policies?: readonly Policy[];
  readonly limit?: number;
  readonly windowSeconds?: number;
  /** From the first answer until the quota is reset. */
  readonly resetSeconds?: number;
}

/** Longer than any such header; also bounds the work. */
const MOST_CHARACTERS = 1024;
/** Larger values of a reset are a time since the epoch, in seconds or milliseconds. */
const EPOCH_SECONDS = 1_000_000_000;
const EPOCH_MS = 1_000_000_000_000;

/** @param at when the answer arrived, and `since` when the first one did; milliseconds since the epoch */
export function quotaIn(headers: IncomingHttpHeaders = {}, at: number, since = at): Quota {
  const text = (name: string): string => [headers[name] ?? []].flat().join(', ').trim();
  const numbers = (name: string, ...others: string[]): (number | undefined)[] =>
    [`ratelimit-${name}`, `rate-limit-${name}`, `x-ratelimit-${name}`, `x-rate-limit-${name}`, ...others]
      .map(text)
      .map((value) => (/^\d{1,15}(\.\d{1,6})?$/.test(value) ? Number(value) : undefined));
  const policies = policiesIn(text('ratelimit-policy'));
  // Of several, it is not known which the caller reaches first.
  const [policy, current] = [policies, policiesIn(text('ratelimit'))].map((all) =>
    all.length === 1 ? all[0] : undefined,
  );
  const [limit, reset] = [
    [policy?.q, current?.q, ...numbers('limit')],
    [current?.t, ...numbers('reset', 'retry-after')],
  ].map((values) => values.find((value) => value !== undefined));
  return {
    ...(policies.length > 1 && { policies }),
    ...(limit !== undefined && { limit }),
    ...(policy?.w !== undefined && { windowSeconds: policy.w }),
    ...(reset !== undefined && { resetSeconds: secondsUntil(reset, at) + (at - since) / 1000 }),
  };
}

/** Whether an answer comes from a path with a limiter. */
export function reportsQuota(headers: IncomingHttpHeaders = {}): boolean {
  return Object.keys(headers).some((name) => /^(x-)?rate-?limit/.test(name));
}

function secondsUntil(reset: number, at: number): number {
  if (reset >= EPOCH_MS) return Math.max(0, (reset - at) / 1000);
  return reset >= EPOCH_SECONDS ? Math.max(0, reset - at / 1000) : reset;
}

/** Quota, window and time until a reset, by the names of the later drafts. */
export type Policy = Readonly<Partial<Record<'q' | 'w' | 't', number | undefined>>>;

/**
 * The later drafts have `"default";r=15;t=40` and `"default";q=20;w=60`, the first ones `limit=20, remaining=15,
 * reset=40` and `20;w=60`.
 */
function policiesIn(text: string): readonly Policy[] {
  if (text.length > MOST_CHARACTERS) return [];
  const ofList = (): Policy[] =>
    parseList(text).map(([item, parameters]) => {
      const [q, w, t] = ['q', 'w', 't'].map((name) => numberOf(parameters.get(name)));
      return { q: numberOf(item) ?? q, w, t };
    });
  const ofDictionary = (): Policy[] => {
    const members = parseDictionary(text);
    // Of a repeated member, the parser keeps the last.
    if (text.split(',').length !== members.size) return [];
    const [q, t] = ['limit', 'reset'].map((name) => numberOf(members.get(name)?.[0]));
    return [{ q, t }];
  };
  return attempt(ofList) ?? attempt(ofDictionary) ?? [];
}

function numberOf(item: unknown): number | undefined {
  return Number.isSafeInteger(item) && (item as number) >= 0 ? (item as number) : undefined;
}

/** The parser throws for values that are no structured fields. */
function attempt(parse: () => Policy[]): Policy[] | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
