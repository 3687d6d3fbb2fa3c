/** The limit of an API, from what its answers showed. Pure. */
import { parseDuration } from '../../api/index.ts';
import type { ApiFacts } from './manifest.ts';
import { type MeasuredWindow, MOST_SECONDS } from './measure-window.ts';
import type { ProbeOptions } from './options.ts';
import type { Quota } from './quota.ts';
import { countingOf, type Spread } from './spread.ts';

/** How a fact is known. */
export type Source = 'given' | 'measured' | 'found' | 'guess' | 'not known';

/** One fact, for a line of the output. */
export interface Finding {
  readonly what: string;
  readonly source: Source;
  readonly because: string;
}

/** What a rejected caller got back while it was watched; seconds. */
export interface Returned {
  /** `a new minute`: several requests, when a minute by the clock had begun. */
  readonly what: 'nothing' | 'one request' | 'several requests' | 'a new minute';
  /** From its first request until then. */
  readonly afterSeconds: number;
}

/** What the requests of one caller showed. */
export interface Shown {
  readonly requests: number;
  readonly source: Source;
  /** Of the first answer. */
  readonly quota: Quota;
  /** When the first answer arrived; milliseconds since the epoch. */
  readonly firstAt: number;
  /** If the caller was watched. */
  readonly returned?: Returned;
  /** If another caller used its limit in two parts. */
  readonly spread?: Spread;
  /** If it was measured. */
  readonly window?: MeasuredWindow | undefined;
}

/** A header that reports a time in whole seconds may be off by this, in seconds. */
const ROUNDING = 1.5;
/** Usual windows in seconds. */
const USUAL_WINDOWS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600];
/** The window if nothing shows it. */
export const DEFAULT_SECONDS = 60;

/** The window that is given or that headers report; seconds. Undefined if there is none. */
export function reportedSeconds(
  { window }: Pick<ProbeOptions, 'window'>,
  { resetSeconds, windowSeconds }: Quota,
): number | undefined {
  if (window !== undefined) return parseDuration(window) / 1000;
  return windowSeconds ?? (resetSeconds === undefined ? undefined : usualFor(resetSeconds));
}

/** The window by which a caller is watched; seconds. */
export function expectedSeconds(options: Pick<ProbeOptions, 'window'>, quota: Quota): number {
  return reportedSeconds(options, quota) ?? DEFAULT_SECONDS;
}

/** Whether a window, or its start, would be a guess, and can be measured. */
export function isMeasurable(options: ProbeOptions, quota: Quota): boolean {
  const isReported = quota.windowSeconds !== undefined && quota.resetSeconds !== undefined;
  return options.window === undefined && !isReported && expectedSeconds(options, quota) <= MOST_SECONDS;
}

function usualFor(resetSeconds: number): number | undefined {
  return USUAL_WINDOWS.find((seconds) => seconds >= resetSeconds - ROUNDING);
}

/** The limit, and how each part of it is known. */
export function limitFrom(
  shown: Shown,
  options: Pick<ProbeOptions, 'algorithm' | 'window' | 'windowStart'>,
): { readonly limit: ApiFacts['limit']; readonly findings: readonly Finding[] } {
  const { quota, requests, source } = shown;
  const other = quota.limit !== undefined && quota.limit !== requests;
  const reported = other ? `, but a header reports ${quota.limit}` : '';
  const window = windowFrom(shown, options.window);
  const counting = countingFrom(shown, parseDuration(window.value) / 1000, options);
  return {
    limit: { requests, window: window.value, ...counting.value },
    findings: [
      { what: 'limit', source, because: `${requests} requests${reported}` },
      { what: 'window', ...window.finding },
      { what: 'algorithm', ...counting.finding },
    ],
  };
}

interface Known<T> {
  readonly value: T;
  readonly finding: Omit<Finding, 'what'>;
}

function windowFrom(
  { quota, requests, returned, spread, window }: Shown,
  given: string | undefined,
): Known<string> {
  const known = (value: string, source: Source, because: string): Known<string> => ({
    value,
    finding: { source, because: `${value}${because}` },
  });
  if (given !== undefined) return known(given, 'given', '');
  const { resetSeconds, windowSeconds } = quota;
  if (windowSeconds !== undefined && windowSeconds >= 1 && windowSeconds <= 3600) {
    return known(`${windowSeconds}s`, 'found', ', in the policy that a header reports');
  }
  if (window) {
    return known(`${window.seconds}s`, 'measured', ': a rejected caller got its limit back twice');
  }
  const { afterSeconds = 0, what = 'nothing' } = returned ?? {};
  const after = `${afterSeconds.toFixed(1)} s after its first request`;
  if (what === 'several requests') {
    // Of a window by the clock, a caller may see only the end.
    const source = !spread ? 'guess' : countingOf(spread) === undefined ? 'not known' : 'measured';
    return known(`${nearest(afterSeconds)}s`, source, `: a rejected caller was admitted again ${after}`);
  }
  const usual = `${DEFAULT_SECONDS}s`;
  if (what === 'a new minute') {
    return known(usual, 'guess', `: a rejected caller was admitted again with a new minute, ${after}`);
  }
  if (what === 'one request') {
    const seconds = nearest(afterSeconds * requests);
    return known(`${seconds}s`, 'guess', `: one request of ${requests} was returned ${after}`);
  }
  const seconds = resetSeconds === undefined ? undefined : usualFor(resetSeconds);
  if (seconds !== undefined) {
    const left = Math.round(resetSeconds ?? 0);
    return known(`${seconds}s`, 'guess', `: the first answer to a new caller reports a reset in ${left} s`);
  }
  return afterSeconds > DEFAULT_SECONDS
    ? known(usual, 'not known', `: a rejected caller got nothing back ${after}. Write --window`)
    : known(usual, 'guess', ': no header reports it. Correct it with --window');
}

/** The usual window with the smallest relative distance. */
export function nearest(seconds: number): number {
  const distance = (window: number): number => Math.abs(Math.log(seconds / window));
  return USUAL_WINDOWS.reduce((best, window) => (distance(window) < distance(best) ? window : best));
}

type Algorithm = Pick<ApiFacts['limit'], 'algorithm' | 'windowStart'>;

/** A new caller has a whole window if it begins with the first request, and what is left of it if the clock does. */
function countingFrom(
  { firstAt, quota: { resetSeconds }, requests, returned, spread, window }: Shown,
  seconds: number,
  { algorithm, windowStart }: Pick<ProbeOptions, 'algorithm' | 'windowStart'>,
): Known<Algorithm> {
  const known = (value: Algorithm, source: Source, because: string): Known<Algorithm> => ({
    value,
    finding: { source, because },
  });
  if (algorithm !== undefined && algorithm !== 'FixedWindow') return known({ algorithm }, 'given', algorithm);
  const leftByClock = seconds - ((firstAt / 1000) % seconds);
  const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= ROUNDING;
  // The reset shows the start, unless the first request was near the start of a window by the clock.
  const reset = [0, seconds].some((left) => isNear(leftByClock, left)) ? undefined : resetSeconds;
  const isFromRequest = window !== undefined || (reset !== undefined && isNear(reset, seconds));
  const fixed = {
    algorithm: 'FixedWindow',
    windowStart: windowStart ?? (isFromRequest ? 'FirstRequest' : 'Unknown'),
  };
  if (windowStart !== undefined) return known(fixed, 'given', `FixedWindow, ${windowStart}`);
  if (algorithm === undefined && returned?.what === 'one request') {
    const because = 'TokenBucket: a rejected caller got one request back, not all';
    return known({ algorithm: 'TokenBucket' }, 'measured', because);
  }
  const counting = spread && countingOf(spread);
  if (algorithm === undefined && counting !== undefined && counting !== 'FixedWindow') {
    return known({ algorithm: counting }, 'measured', `${counting}: ${spreadText(spread)}`);
  }
  const isFixed = counting === 'FixedWindow' || algorithm !== undefined;
  const source = counting === 'FixedWindow' ? 'measured' : algorithm === undefined ? 'guess' : 'given';
  const byClock = (how: Source, because: string): Known<Algorithm> =>
    known({ ...fixed, windowStart: 'Clock' }, how, `FixedWindow by the clock: ${because}`);
  if (returned?.what === 'a new minute') {
    return byClock(source, 'a rejected caller was admitted again with a new minute');
  }
  if (window?.start === 'Clock') {
    return byClock('measured', 'a rejected caller got its limit back twice, at the same phase');
  }
  if (reset !== undefined && isNear(reset, leftByClock)) {
    return byClock(source, `a new caller has ${Math.round(reset)} s left of ${seconds} s`);
  }
  const [from, unknown] = isFromRequest
    ? [' from the first request', '']
    : ['', '. When windows begin is not known, so the largest bound counts: see --window-start'];
  if (isFixed) return known(fixed, source, `FixedWindow${from}${spreadText(spread, ': ')}${unknown}`);
  if (requests === 1)
    return known(fixed, 'guess', 'FixedWindow: with a limit of one, as good as a sliding one');
  const noBucket = returned?.what === 'nothing' ? ', but no bucket, since nothing was returned early' : '';
  const because = `fixed or sliding${noBucket}. FixedWindow permits the most: see --algorithm${unknown}`;
  return known(fixed, 'not known', because);
}

function spreadText(spread: Spread | undefined, before = ''): string {
  if (!spread) return '';
  const { admitted, first, requests } = spread;
  return `${before}a caller that used ${first} of ${requests}, and the rest later, got ${admitted} back a window after the first part`;
}
