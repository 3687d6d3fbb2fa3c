/**
 * By which rule a limiter counts, as far as callers that got their limit back show: each rule predicts when that is, and
 * is refuted by a caller for whom it was not. Derived in docs/research/limits.md. Pure.
 */
import { followsClock, type RateLimit, type Rules } from './rate-limit.ts';

/** Names of rules, as a history has them. */
export const RULES = [
  'FirstRequest',
  'EachRequest',
  'Clock',
  'EachKey',
  'SlidingWindow',
  'SlidingWindowCounter',
  'TokenBucket',
] as const;
export type RuleName = (typeof RULES)[number];

const TEXTS: Readonly<Record<RuleName, string>> = {
  FirstRequest: "windows from a caller's first request",
  EachRequest: 'windows that each request restarts',
  Clock: 'windows by the clock',
  EachKey: 'own windows of each key',
  SlidingWindow: 'a log of requests',
  SlidingWindowCounter: 'a weighted count of two windows',
  TokenBucket: 'a token bucket',
};

export function nameOf(rule: RateLimit): RuleName {
  return rule.algorithm === 'FixedWindow' ? rule.start : rule.algorithm;
}

/** "windows by the clock or a token bucket". The rules of windows from a first request differ in what rejections do. */
export function rulesText(rules: Rules): string {
  const names = rules.map(nameOf);
  const isBoth = names.includes('FirstRequest');
  const texts = names.filter((name) => !isBoth || name !== 'EachRequest').map((name) => TEXTS[name]);
  return texts.length < 2 ? texts.join() : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;
}

/** Those with these names; all if there are none. */
export function named(rules: Rules, names: readonly RuleName[] | undefined): Rules {
  return names ? rules.filter((rule) => names.includes(nameOf(rule))) : rules;
}

/** Whether a count by this rule only grows within a window, whose end is known. */
export function isCountable(rule: RateLimit): boolean {
  return rule.algorithm === 'SlidingWindow' || (rule.algorithm === 'FixedWindow' && rule.start !== 'EachKey');
}

/** One request of a caller; milliseconds since the epoch by one clock. */
export interface Sent {
  readonly sentAt: number;
  readonly endedAt: number;
  readonly outcome: 'Admitted' | 'Rejected' | 'Error' | 'Timeout';
}

/** Limiters that count in whole seconds are so far from what is predicted; at most this part of a window. */
const [ROUNDING_MS, ROUNDING_PART] = [1000, 0.1] as const;
/** A rule that explains what callers got by a smaller probability than this is refuted. */
export const EXCLUDED = 1e-6;

/**
 * A caller that used its limit up and asked until it was admitted again. Each event happened between two moments:
 * milliseconds since the epoch by the sender's clock.
 */
export type Return = Readonly<NonNullable<ReturnType<typeof returnOf>>>;

/**
 * @param requests of one caller, whose key was unused before them, in any order
 * @param full what its limit admits at once
 * @param pods that have to reject it in a row
 * @returns undefined if it did not use its limit up, or the outcome of a request is not known
 */
function returnOf(requests: readonly Sent[], full: number, pods: number) {
  const inOrder = requests.toSorted((a, b) => a.sentAt - b.sentAt);
  const isRejected = ({ outcome }: Sent): boolean => outcome === 'Rejected';
  const isAdmitted = ({ outcome }: Sent): boolean => outcome === 'Admitted';
  const first = inOrder.findIndex(
    (_, i) => i + pods <= inOrder.length && inOrder.slice(i, i + pods).every(isRejected),
  );
  const used = inOrder.slice(0, Math.max(0, first)).filter(isAdmitted);
  const isKnown = inOrder.every((one) => isAdmitted(one) || isRejected(one));
  const lastUse = used.at(-1);
  if (!isKnown || !lastUse || used.length < full) return undefined;
  const asked = inOrder.slice(first);
  const back = asked.findIndex(isAdmitted);
  const waited = back < 0 ? asked : asked.slice(0, back);
  const again = asked.slice(waited.length);
  const by = again[0]?.endedAt ?? Infinity;
  const rejection = again.find((one) => isRejected(one) && one.sentAt >= by);
  const before = again.filter((one) => one !== rejection && one.sentAt < (rejection?.endedAt ?? 0));
  const gaps = asked
    .slice(1, waited.length + 1)
    .map(({ sentAt }, i) => sentAt - (asked[i]?.sentAt ?? sentAt));
  return {
    /** When its first request was counted, at the earliest. */
    begunFrom: inOrder[0]?.sentAt ?? 0,
    /** When it certainly had used its limit up. */
    usedUpBy: lastUse.endedAt,
    /** It was not admitted by a request sent then, and by one that had its response then; infinite: by none. */
    after: waited.at(-1)?.sentAt ?? 0,
    by,
    /** The longest between two of its requests while it asked. */
    apartMs: Math.max(0, ...gaps),
    /** How many were admitted from that one on, and when the last of those requests had its response. */
    again: again.filter(isAdmitted).length,
    lastBy: Math.max(0, ...again.map(({ endedAt }) => endedAt)),
    /** At most how many requests were decided from then on before one was rejected that was sent later; infinite: none was. */
    before: rejection ? before.length : Infinity,
  };
}

/** Of each caller, as far as it is known. @param requests of callers whose keys were unused before them, in any order */
export function returnsOf(
  requests: readonly (Sent & { readonly key?: string | undefined })[],
  full: number,
  pods: number,
): Return[] {
  const byKey = Map.groupBy(requests, ({ key }) => key);
  return [...byKey.values()].flatMap((own) => returnOf(own, full, pods) ?? []);
}

/** How many requests show whether a limit returns at once or one after the other, if a caller asks so often. */
export function tellingRequests(rule: RateLimit, apartMs: number): number {
  const { requests, windowMs } = rule;
  return Math.min(requests, 4 + Math.ceil(((2 * apartMs + roundingOf(rule)) * requests) / windowMs));
}

/** How long after its first request a caller must have been admitted again, by all of these but one; milliseconds. */
export function mostReturnMs(rules: Rules, usedUpMs: number): number {
  const each = rules.map(
    (rule) => predicted(rule, { begunFrom: 0, usedUpBy: usedUpMs })[1] + roundingOf(rule),
  );
  return Math.max(...each);
}

/** Whether a caller got its whole limit back, and no more, as from a limiter whose window is as long as it waits. */
export function hasOtherWindow({ again, before, begunFrom, by, lastBy }: Return, full: number): boolean {
  if (by === Infinity) return true;
  const windows = 2 + Math.floor((lastBy - by) / (by - begunFrom));
  return before >= full && again <= full * windows;
}

/** Those of the rules that explain when each of these callers got its limit back; none: no rule of this limit does. */
export function livingOf(rules: Rules, returns: readonly Return[], clockWithinMs: number): Rules {
  return rules.filter(
    (rule) =>
      returns.every((each) => mayReturn(rule, each)) &&
      (!followsClock(rule) || haveOnePhase(rule, returns, clockWithinMs)) &&
      !(nameOf(rule) === 'EachKey' && areNoPhases(rule, returns, clockWithinMs)),
  );
}

function roundingOf({ windowMs }: RateLimit): number {
  return Math.min(ROUNDING_MS, ROUNDING_PART * windowMs);
}

/** When a caller is admitted again, at the earliest and at the latest. */
function predicted(
  rule: RateLimit,
  { begunFrom, usedUpBy }: Pick<Return, 'begunFrom' | 'usedUpBy'>,
): readonly [from: number, to: number] {
  const { requests, windowMs } = rule;
  const one = windowMs / requests;
  if (rule.algorithm === 'TokenBucket') {
    const { refillEveryMs = 0 } = rule;
    return [begunFrom, usedUpBy + one + 2 * refillEveryMs];
  }
  if (rule.algorithm === 'SlidingWindowCounter') return [begunFrom, usedUpBy + windowMs + 2 * one];
  const name = nameOf(rule);
  return [name === 'Clock' || name === 'EachKey' ? begunFrom : begunFrom + windowMs, usedUpBy + windowMs];
}

/** Whether this rule explains what one caller got. */
function mayReturn(rule: RateLimit, each: Return): boolean {
  const { after, again, apartMs, before, by, lastBy } = each;
  const { requests, windowMs } = rule;
  const roundingMs = roundingOf(rule);
  // Only silence returns this limit.
  if (nameOf(rule) === 'EachRequest') return by === Infinity || apartMs >= windowMs - roundingMs;
  const [from, to] = predicted(rule, each);
  if (by < from - roundingMs || after > to + roundingMs) return false;
  if (by === Infinity) return true;
  // A window returns all at once; tokens and fading counts return one after the other.
  if (rule.algorithm === 'FixedWindow') return before >= requests;
  return (
    rule.algorithm === 'SlidingWindow' || again <= 2 + ((lastBy - after + roundingMs) * requests) / windowMs
  );
}

/**
 * Whether windows that end for all callers at one moment, a window apart, explain these returns.
 * @param withinMs how far that moment may be from multiples of the window
 */
function haveOnePhase(rule: RateLimit, returns: readonly Return[], withinMs: number): boolean {
  const { requests, windowMs } = rule;
  const widerMs = roundingOf(rule);
  const isFading = rule.algorithm === 'SlidingWindowCounter';
  // A count that fades admits again a moment after the end of a window, or after one that ended while it was used up.
  const laterMs = isFading ? (2 * windowMs) / requests : 0;
  const arcs = returns
    .filter(({ after, by }) => by - after + laterMs + 2 * widerMs < windowMs)
    .map(({ after, begunFrom, by, usedUpBy }) => [
      { from: after - laterMs - widerMs, to: by + widerMs },
      ...(isFading ? [{ from: begunFrom - widerMs, to: usedUpBy + widerMs }] : []),
    ]);
  const ends = arcs
    .flat()
    .flatMap(({ from, to }) => [from, to])
    .map((at) => fromClock(at, windowMs));
  const inReach = [-withinMs, 0, withinMs, ...ends].filter((phase) => Math.abs(phase) <= withinMs);
  return inReach.some((phase) =>
    arcs.every((some) =>
      some.some(({ from, to }) => (((phase - from) % windowMs) + windowMs) % windowMs <= to - from),
    ),
  );
}

/**
 * Whether independent phases do not explain these returns: the waits of all callers were too much alike, and no phase of
 * all explains that; or they returned too near to each other around the end of a window by the clock.
 */
function areNoPhases(rule: RateLimit, returns: readonly Return[], clockWithinMs: number): boolean {
  const { windowMs } = rule;
  const known = returns.filter(({ by }) => by !== Infinity);
  const isAlike = (momentOf: (at: number, of: Return) => number): boolean => {
    const shortest = Math.min(...known.map((each) => momentOf(each.after, each)));
    const longest = Math.max(...known.map((each) => momentOf(each.by, each)));
    // With phases at random, n moments lie within a part p of a window with a probability below n times p^(n - 1).
    const part = Math.min(1, (longest - shortest) / windowMs);
    return known.length > 1 && known.length * part ** (known.length - 1) < EXCLUDED;
  };
  const waits = isAlike((at, { begunFrom }) => at - begunFrom);
  const ends = isAlike((at) => fromClock(at, windowMs));
  return (
    (waits && !haveOnePhase(rule, known, windowMs)) || (ends && haveOnePhase(rule, known, clockWithinMs))
  );
}

/** From the nearest multiple of a window; milliseconds. */
function fromClock(at: number, windowMs: number): number {
  return at - Math.round(at / windowMs) * windowMs;
}
