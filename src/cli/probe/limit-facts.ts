/** The limit of an API, from what its answers showed. Pure. */
import { listed } from '@chaosdemo/redis-faults/text';
import { counted } from '../../api/index.ts';
import { type Measured, MOST_SECONDS } from '../../subjects/ratelimiter/controls/measured-window.ts';
import type { Limit } from './manifest.ts';
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
  /** If it was watched how a limit is returned. */
  readonly measured?: Measured;
}

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

/** Whether the window has to be measured: it is neither given nor in a policy, and a reset may be the rest of it. */
export function isWindowOpen({ window }: Given, { resetSeconds, windowSeconds }: Quota): boolean {
  const isShort = (usualFor(resetSeconds) ?? 0) <= MOST_SECONDS;
  return window === undefined && windowSeconds === undefined && isShort;
}

function usualFor(resetSeconds = Infinity): number | undefined {
  return USUAL_WINDOWS.find((seconds) => seconds >= resetSeconds - ROUNDING);
}

/** The limit, and how each part of it is known. */
export function limitFrom(shown: Shown, options: Given) {
  const { quota, requests, source } = shown;
  const other = quota.limit !== undefined && quota.limit !== requests;
  const reported = other ? `, but a header reports ${quota.limit}` : '';
  const others = (quota.policies ?? []).filter(({ q, w }) => q !== requests && w !== undefined);
  const texts = others.map(({ q, w }) => `${q} in ${w}s`);
  const also = texts.length > 0 ? `, the limit tested. Headers also report ${listed(texts)}` : '';
  const [window, windowSource, why] = windowFrom(shown, options);
  const [counting, countingSource, because] = countingFrom(shown, options);
  const limit: Limit = { requests, window, ...counting };
  const findings: readonly Finding[] = [
    { what: 'limit', source, because: `${counted(requests, 'request')}${reported}${also}` },
    { what: 'window', source: windowSource, because: `${window}${why}` },
    { what: 'algorithm', source: countingSource, because },
  ];
  return { limit, findings };
}

function windowFrom({ measured = {}, quota, requests }: Shown, { window: given }: Given): Known<string> {
  const { resetSeconds, windowSeconds = 0 } = quota;
  const { bucketSeconds, windowSeconds: measuredSeconds } = measured;
  if (given !== undefined) return [given, 'given', ''];
  if (windowSeconds >= 1 && windowSeconds <= 3600) {
    return [`${windowSeconds}s`, 'found', ', in the policy that a header reports'];
  }
  if (measuredSeconds !== undefined)
    return [`${measuredSeconds}s`, 'measured', ': a rejected caller got its limit back twice'];
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

/** What is stated of how it counts: a run measures the rest, as far as its result depends on it. */
function countingFrom(
  { measured = {} }: Shown,
  { algorithm, refill, windowStart }: Given,
): Known<Partial<Limit>> {
  if (refill !== undefined)
    return [{ algorithm: 'TokenBucket', refillEvery: refill }, 'given', 'TokenBucket'];
  const given = { ...(algorithm && { algorithm }), ...(windowStart && { windowStart }) };
  const names = Object.values(given);
  if (names.length > 0) return [given, 'given', names.join(', ')];
  return measured.bucketSeconds === undefined
    ? [{}, 'not known', 'the run measures how it counts, if its result depends on it']
    : [
        { algorithm: 'TokenBucket' },
        'measured',
        'TokenBucket: a rejected caller got one request back, not all',
      ];
}
