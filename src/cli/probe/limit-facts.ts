/** The limit of an API, from what its answers showed. Pure. */
import { listed } from '@chaosdemo/redis-faults/text';
import { counted, parseDuration } from '../../api/index.ts';
import type { Limit } from './manifest.ts';
import { type Measured, MOST_SECONDS } from './measure.ts';
import type { ProbeOptions } from './options.ts';
import type { Quota } from './quota.ts';

/** How a fact is known. */
export type Source = 'given' | 'measured' | 'found' | 'guess' | 'not known';

/** One fact, for a line of the output. */
export interface Finding {
  readonly what: string;
  readonly source: Source;
  readonly because: string;
}

/** A finding as a line. */
export function findingLine({ because, source, what }: Finding): string {
  return `${what}, ${source}: ${because}`;
}

/** What the requests of one caller showed. */
export interface Shown {
  readonly requests: number;
  readonly source: Source;
  /** Of the first answer. */
  readonly quota: Quota;
  /** When the first answer arrived; milliseconds since the epoch. */
  readonly firstAt: number;
  /** Of other callers; left out: all have one limit. */
  readonly others?: readonly Begun[];
  /** If it was watched how a limit is returned. */
  readonly measured?: Measured;
}

/** What the first response to a new caller showed. */
export type Begun = Pick<Shown, 'firstAt' | 'quota'>;

type Given = Pick<ProbeOptions, 'algorithm' | 'refill' | 'window' | 'windowStart'>;
/** A value, how it is known, and why. */
type Known<T> = readonly [value: T, source: Source, because: string];

/** A header that reports a time in whole seconds may be off by this, in seconds. */
const ROUNDING = 1.5;
/** A bucket returns its requests so near to a usual window, as a share, if it has that one. */
const BUCKET_ROUNDING = 0.02;
/** Usual windows in seconds. */
const USUAL_WINDOWS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600];
const DEFAULT_WINDOW = '60s';

/** The window that is given or that headers report, in seconds; undefined if it, or its start, has to be measured. */
export function knownSeconds({ window }: Given, { resetSeconds, windowSeconds }: Quota): number | undefined {
  if (window !== undefined) return parseDuration(window) / 1000;
  const seconds = windowSeconds ?? usualFor(resetSeconds);
  const isReported = windowSeconds !== undefined && resetSeconds !== undefined;
  return isReported || (seconds ?? 0) > MOST_SECONDS ? seconds : undefined;
}

function usualFor(resetSeconds = Infinity): number | undefined {
  return USUAL_WINDOWS.find((seconds) => seconds >= resetSeconds - ROUNDING);
}

/** The limit, and how each part of it is known. */
export function limitFrom(
  shown: Shown,
  options: Given,
): { readonly limit: Limit; readonly findings: readonly Finding[] } {
  const { quota, requests, source } = shown;
  const other = quota.limit !== undefined && quota.limit !== requests;
  const reported = other ? `, but a header reports ${quota.limit}` : '';
  const others = (quota.policies ?? []).filter(({ q, w }) => q !== requests && w !== undefined);
  const texts = others.map(({ q, w }) => `${q} in ${w}s`);
  const also = texts.length > 0 ? `, the limit tested. Headers also report ${listed(texts)}` : '';
  const [window, windowSource, why] = windowFrom(shown, options);
  const [counting, countingSource, because] = countingFrom(shown, parseDuration(window) / 1000, options);
  return {
    limit: { requests, window, ...counting },
    findings: [
      { what: 'limit', source, because: `${counted(requests, 'request')}${reported}${also}` },
      { what: 'window', source: windowSource, because: `${window}${why}` },
      { what: 'algorithm', source: countingSource, because },
    ],
  };
}

function windowFrom({ measured = {}, quota, requests }: Shown, { window: given }: Given): Known<string> {
  const { resetSeconds, windowSeconds = 0 } = quota;
  const { bucketSeconds, window } = measured;
  if (given !== undefined) return [given, 'given', ''];
  if (windowSeconds >= 1 && windowSeconds <= 3600) {
    return [`${windowSeconds}s`, 'found', ', in the policy that a header reports'];
  }
  if (window) return [`${window.seconds}s`, 'measured', ': a rejected caller got its limit back twice'];
  const left = usualFor(resetSeconds);
  if (left !== undefined && resetSeconds !== undefined) {
    const because = `: the first response to a new caller reports a reset in ${Math.round(resetSeconds)} s`;
    return [`${left}s`, 'guess', because];
  }
  if (bucketSeconds !== undefined) {
    const because = `: one of ${requests} requests is returned every ${(bucketSeconds / requests).toFixed(1)} s`;
    const usual = nearest(bucketSeconds);
    const isNear = Math.abs(bucketSeconds / usual - 1) <= BUCKET_ROUNDING;
    return [`${usual}s`, isNear ? 'measured' : 'guess', because];
  }
  return [
    DEFAULT_WINDOW,
    'not known',
    ': no header and no return of a rejected caller shows one. Write --window',
  ];
}

/** The usual window with the smallest relative distance. */
function nearest(seconds: number): number {
  const distance = (window: number): number => Math.abs(Math.log(seconds / window));
  return USUAL_WINDOWS.reduce((best, window) => (distance(window) < distance(best) ? window : best));
}

function countingFrom(
  shown: Shown,
  seconds: number,
  { algorithm, refill, windowStart }: Given,
): Known<Pick<Limit, 'algorithm' | 'refillEvery' | 'windowStart'>> {
  const { measured = {}, requests } = shown;
  if (refill !== undefined)
    return [{ algorithm: 'TokenBucket', refillEvery: refill }, 'given', 'TokenBucket'];
  if (algorithm !== undefined && algorithm !== 'FixedWindow') return [{ algorithm }, 'given', algorithm];
  if (algorithm === undefined && windowStart === undefined && measured.bucketSeconds !== undefined) {
    const because = 'TokenBucket: a rejected caller got one request back, not all';
    return [{ algorithm: 'TokenBucket' }, 'measured', because];
  }
  const [start, begin] = windowStart === undefined ? startFrom(shown, seconds) : [windowStart, 'as given'];
  const fixed = { algorithm: 'FixedWindow', windowStart: start } as const;
  const known = (source: Source, because: string) =>
    [fixed, source, `${because}. Its windows start ${begin}`] as const;
  if (algorithm !== undefined || windowStart !== undefined) return known('given', 'FixedWindow');
  if (measured.window?.start === 'Clock') return known('measured', 'FixedWindow');
  if (start === 'Clock' || requests === 1) return known('guess', 'FixedWindow, which allows the most');
  return known('not known', 'several fit. FixedWindow allows the most, and is taken: see --algorithm');
}

function startFrom(
  { measured, others = [], ...first }: Shown,
  seconds: number,
): readonly [start: Limit['windowStart'], text: string] {
  const start = measured?.window?.start;
  if (start === 'Clock')
    return [start, 'by the clock, since a rejected caller got its limit back twice at one phase'];
  // Windows of each caller may begin at another moment, so what one caller shows may be chance.
  const [shown, ...more] = new Set([first, ...others].map((each) => startByReset(each, seconds)));
  const byReset = more.length === 0 ? shown : undefined;
  if (byReset === 'Clock') return [byReset, 'by the clock, since new callers have the rest of a window'];
  if (start === 'FirstRequest' || byReset === 'FirstRequest')
    return ['FirstRequest', 'with the first request'];
  return ['Unknown', 'at an unknown time, so the largest bound counts: see --window-start'];
}

/** A new caller has a whole window if it begins with the first request, and what is left of it if the clock does. */
function startByReset({ firstAt, quota }: Begun, seconds: number): Limit['windowStart'] | undefined {
  const { resetSeconds = Infinity } = quota;
  const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= ROUNDING;
  const leftByClock = seconds - ((firstAt / 1000) % seconds);
  // Near the start of a window by the clock, both look the same.
  if (isNear(leftByClock, 0) || isNear(leftByClock, seconds)) return undefined;
  if (isNear(resetSeconds, leftByClock)) return 'Clock';
  return isNear(resetSeconds, seconds) ? 'FirstRequest' : undefined;
}
