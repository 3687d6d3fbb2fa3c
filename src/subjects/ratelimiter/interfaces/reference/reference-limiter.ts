/** What a run can do with the bundled limiter besides sending requests: set limits, and sample counters. */
import { counted, formatDuration, parseDuration } from '../../../../api/index.ts';
import type { Prepared } from '../../../../demo/observed.ts';
import { clockOffset } from '../../../redis/client/clock-offset.ts';
import type { RedisConnections } from '../../../redis/client/redis-client.ts';
import { pauseFor } from '../../../waiting.ts';
import { type CounterSample, missingIn, totalAdmitted } from '../../history/counter-sample.ts';
import type { RateLimiterSpec } from '../../schema.ts';
import { type SampledWindow, sampleCounters } from './counter-sample.ts';
import type { LimiterClient } from './limiter-client.ts';
import { type LimitWindow, removeRateLimit, setupRateLimit } from './setup-limit.ts';

/** How long the removal of a partly set up key may take; milliseconds. */
const CLEAN_UP_MS = 5000;
/** Interval between two samples while counters settle; milliseconds. */
const LOOK_EVERY_MS = 50;
/** How long a caller's counts may take to reach Redis, the first time: an outage may have lost them; milliseconds. */
const REST_MS = 5000;
/**
 * Once they have, how long the pods may take to learn each other's counts: they poll ten times a second; milliseconds.
 */
const LEARN_MS = 500;

/** A caller whose limit the run sets. */
export interface NewCaller {
  readonly key: string;
  /** Requests that it is allowed; default: the limit of the spec. */
  readonly allowed?: number;
  /** Length of its window; default: that of the spec; milliseconds. */
  readonly windowMs?: number;
}

export interface ReferenceParts {
  /** One for each pod. */
  readonly clients: readonly LimiterClient[];
  readonly limiter: Pick<RateLimiterSpec, 'limit'>;
  readonly redis: RedisConnections;
  readonly timeoutMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export class ReferenceLimiter {
  readonly clients: readonly LimiterClient[];
  readonly #parts: ReferenceParts;
  readonly #windows = new Map<string, SampledWindow>();
  /** Windows that this run has begun. */
  readonly #begun = new Set<string>();
  /** Callers whose counts never reached Redis. */
  readonly #restless = new Set<string>();

  constructor(parts: ReferenceParts) {
    this.#parts = parts;
    this.clients = parts.clients;
  }

  /** Whether this run has begun a window. */
  hasBegun(windowId: string): boolean {
    return this.#begun.has(windowId);
  }

  /** Sets a limit on a key, with a new window on every pod. @throws as {@link setupRateLimit} */
  async define({ allowed, key, windowMs }: NewCaller, signal: AbortSignal): Promise<LimitWindow> {
    const { clients, limiter, timeoutMs } = this.#parts;
    const { requests, window } = limiter.limit;
    const ms = windowMs ?? parseDuration(window);
    const defined = await setupRateLimit(clients, key, allowed ?? requests, ms, timeoutMs, signal);
    this.#begun.add(defined.windowId);
    this.#windows.set(key, defined);
    return defined;
  }

  /**
   * Sets the limits of these callers.
   * @returns when the first of their windows ends, in milliseconds since the epoch by the local clock
   * @throws Error with what to do, or the reason of `signal`; none of the keys has a limit then
   */
  async introduce(some: Iterable<NewCaller>, signal: AbortSignal): Promise<number> {
    const { now, redis } = this.#parts;
    const all = [...some];
    const defined = await Promise.allSettled(all.map(async (one) => this.define(one, signal)));
    try {
      const ends = defined.map((one) => {
        if (one.status === 'rejected') throw one.reason;
        return one.value.windowEndsAt;
      });
      const offset = await clockOffset(redis, now);
      signal.throwIfAborted();
      return Math.min(...ends) - offset;
    } catch (error) {
      await this.forget(all);
      throw error;
    }
  }

  /** Sets the limit of the spec on these keys; the first is a fixture. @throws as {@link introduce} */
  async prepare(keys: readonly string[], signal: AbortSignal): Promise<Omit<Prepared, 'sequence'>> {
    const { requests, window } = this.#parts.limiter.limit;
    const [fixture = ''] = keys;
    const usableUntil = Math.floor(
      await this.introduce(
        keys.map((key) => ({ key })),
        signal,
      ),
    );
    const others =
      keys.length === 1 ? '' : `, and ${counted(keys.length - 1, 'key')} more for as many trials`;
    const message = `Key ${fixture}: limit ${requests} in ${formatDuration(parseDuration(window))}, read back on ${counted(this.clients.length, 'pod')}${others}`;
    return { fixture, usableUntil, message };
  }

  /** Removes their limits as far as possible. Never rejects. */
  async forget(some: Iterable<NewCaller>): Promise<void> {
    const { clients, timeoutMs } = this.#parts;
    const within = AbortSignal.timeout(Math.min(timeoutMs, CLEAN_UP_MS));
    await Promise.allSettled([...some].map(async ({ key }) => removeRateLimit(clients, key, within)));
  }

  /**
   * A sample of the counters of a key that was defined here.
   * @throws RangeError for any other key; the reason of `signal`
   */
  async sample(key: string, signal: AbortSignal): Promise<CounterSample> {
    const { clients, now, redis } = this.#parts;
    const window = this.#windows.get(key);
    if (!window) throw new RangeError(`this run has set no limit of ${key}`);
    return await sampleCounters(clients, redis, window, now, signal);
  }

  /** The counters once pods and Redis agree, or after `withinMs`. @throws the reason of `signal` */
  async settled(key: string, withinMs: number, signal: AbortSignal): Promise<CounterSample> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const sample = await this.sample(key, signal);
      const isComplete = missingIn(sample, this.clients.length) === undefined;
      if ((isComplete && totalAdmitted(sample) === sample.stored) || performance.now() >= deadline)
        return sample;
      await pauseFor(LOOK_EVERY_MS, signal);
    }
  }

  /** Resolves once every pod may know what the others have admitted for this caller. @throws the reason of `signal` */
  async learned(key: string, signal: AbortSignal): Promise<void> {
    const withinMs = this.#restless.has(key) ? 0 : Math.min(this.#parts.timeoutMs, REST_MS);
    const sample = await this.settled(key, withinMs, signal);
    if (totalAdmitted(sample) !== sample.stored) this.#restless.add(key);
    await pauseFor(LEARN_MS, signal);
  }
}
