/**
 * What the survey knows of a rate limiter: one description a limiter, as data. Its program is in the folder
 * `app` next to the description, with the lock file of its package manager.
 *
 * Texts may hold places that are filled in: in requests and keys of Redis `{key}`, the caller's identity; in keys also
 * `{number}` and `{hash}` for what only the limiter knows; in arguments, variables and files `{app}`, the installed
 * program, `{files}`, a folder of the process, and `{host}`, `{port}`, `{redisUrl}`, `{redisHost}`,
 * `{redisPort}`, `{redisAuth}` (`name:password`, or nothing), `{limit}`, `{windowSeconds}`, `{windowUnit}` (`minute`).
 */

/** A quote from the documentation of a limiter: one short sentence, word for word, and its address. */
export interface Saying {
  readonly quote: string;
  readonly url: string;
}

/** The outcome for callers during a fault of Redis, as the operator names it. */
export const BEHAVIOURS = ['Enforces', 'FailsOpen', 'FailsClosed', 'Hangs', 'Mixed', 'Forgets'] as const;

/** One of them. */
export type Behaviour = (typeof BEHAVIOURS)[number];

/** What the documentation of a limiter says of a Redis that fails. */
export interface FailureSaying extends Saying {
  /** What callers get where this is true of a Redis that takes no writes; undefined where it says nothing of callers. */
  readonly means?: readonly Behaviour[];
  /** It is about an error or an unreachable store, so a limiter that waits for Redis does not contradict it. */
  readonly onError?: true;
}

/**
 * When what was used is given back: a window that begins with the first request, one that the clock gives,
 * one that moves with every request, or tokens that come back steadily.
 */
export type WindowKind = 'FixedFromFirstRequest' | 'FixedByClock' | 'Sliding' | 'TokenBucket';

/** How a program is installed, from which lock file, and by what it is run. */
export type Ecosystem = 'npm' | 'pip' | 'go' | 'maven';

/** One request that counts. */
export interface CountedRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A key of Redis that holds part of a count. */
export interface StoredCount {
  readonly key: string;
  readonly type: 'string' | 'hash' | 'zset' | 'list';
  /** `used` counts up to the limit, `remaining` down from it, `entries` has one member a request. */
  readonly holds: 'used' | 'remaining' | 'entries' | 'time of arrival' | 'other';
  /** What else there is to know to read it. */
  readonly note?: string;
}

/** When what was used is given back, and who says so. */
export interface Window {
  readonly kind: WindowKind;
  readonly saidBy: Saying;
  /** Windows that can be configured, in seconds; default: any whole number. */
  readonly seconds?: readonly number[];
  /** Of a token bucket whose tokens come in lumps, how far apart: `1s` if it counts in whole seconds. */
  readonly refillEvery?: string;
  /** Windows of the clock that begin at another moment for each caller. */
  readonly staggered?: boolean;
  /** The window of the survey, if not a minute; as long as the API allows if the end of a window is unknown. */
  readonly surveySeconds?: number;
  readonly note?: string;
}

/** One configuration of a limiter. */
export interface Variant {
  readonly name: string;
  /** What is different, in a few words. */
  readonly what: string;
  /** Variables for the program, besides those of the limiter. */
  readonly env: Readonly<Record<string, string>>;
  /** What its documentation promises for a Redis that fails; undefined where it says nothing. */
  readonly saysOfFailure?: FailureSaying;
  /** Where it differs from that of the limiter. */
  readonly window?: Window;
  /** Where it differs from that of the limiter. */
  readonly store?: readonly StoredCount[];
  /** How many callers get while nothing fails: the limit in all, or up to the limit at each process. */
  readonly admits?: 'limit' | 'limit at each process';
}

/** A rate limiter of the survey. */
export interface SurveyedLimiter {
  /** Also the name of its folder. */
  readonly name: string;
  readonly language: 'JavaScript' | 'TypeScript' | 'Python' | 'Go' | 'Java';
  readonly ecosystem: Ecosystem;
  /** The package that limits, as its registry calls it, and the version that the lock file pins. */
  readonly package: string;
  readonly version: string;
  /** What else of its lock file decides how it behaves: the client of Redis above all. */
  readonly besides: Readonly<Record<string, string>>;
  readonly documentation: string;
  /** What surprises of it, in a few sentences that the results of the survey bear out. */
  readonly remark?: string;
  /** How one process is started by the program that its ecosystem has: node, python, the built binary, java. */
  readonly args: readonly string[];
  /** What Go builds: the package of the limiter's own program, where it has one. Default: that in `app`. */
  readonly goPackage?: string;
  /** Variables besides HOST, PORT, REDIS_URL, LIMIT and WINDOW_SECONDS, which every program gets. */
  readonly env?: Readonly<Record<string, string>>;
  /** Files of each process, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Answers 200 once the process serves, and does not use the limiter. */
  readonly healthPath: string;
  readonly window: Window;
  readonly request: CountedRequest;
  readonly admitted: readonly number[];
  readonly rejected: readonly number[];
  /** The header of an admitted answer with the remaining quota, as a number of requests. */
  readonly remainingHeader?: string;
  /** As seen in a real Redis after requests. */
  readonly store: readonly StoredCount[];
  /** The first is what a user gets who changes nothing. */
  readonly variants: readonly [Variant, ...Variant[]];
}

/** Fills the places of a text; those that `values` does not name stay. */
export function fillIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
}

/** Whether a key of Redis is the one that a template means for this caller. */
export function isKeyOf(template: string, caller: string, key: string): boolean {
  const places: Readonly<Record<string, string>> = { key: escape(caller), number: '\\d+', hash: '[0-9a-f]+' };
  const parts = template.split(/\{(key|number|hash)\}/);
  const pattern = parts.map((part, index) => (index % 2 === 1 ? places[part] : escape(part))).join('');
  return new RegExp(`^${pattern}$`).test(key);
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^$|()[\]\\{}]/g, '\\$&');
}
