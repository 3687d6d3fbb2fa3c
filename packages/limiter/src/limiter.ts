/**
 * One pod of the rate limiter: what its HTTP endpoints do, without HTTP.
 *
 * - approximate: a check is decided from memory, by this pod's own count and the last known counts of the others, and
 *   counts reach Redis every 100 ms. Fast, available without Redis, and wrong in two ways by design: a burst over N
 *   pods is admitted up to N times the limit, and while writes to Redis stall the pods' counts run ahead of it.
 * - strict: a check is one atomic script in Redis with a deadline inside. Exact; rejects when in doubt.
 */
import { succeeds, TIMED_OUT, within } from '@chaosdemo/redis-faults/waiting';
import type { Logger } from 'pino';
import type { LimiterConfig } from './config.ts';
import { UndecidedError } from './errors.ts';
import { openConnections, type RedisConnections } from './redis.ts';
import { repeat } from './repeat.ts';
import { checkInRedis, countKey, readWindow, syncCounts } from './store.ts';
import { type PodWindow, Windows } from './window.ts';

/** How often a pod exchanges its counts with Redis. */
const SYNC_EVERY_MS = 100;
/** Most windows in one sync: a script blocks Redis while it runs. */
const SYNC_BATCH = 512;
/** Timeout of a ping. */
const READ_TIMEOUT_MS = 2_000;
/** How long the first check of a key waits for what Redis holds of it. */
const LEARN_TIMEOUT_MS = 100;
/** How long a pod that stops tries to deliver its last counts. */
const FLUSH_TIMEOUT_MS = 10_000;
const WARN_EVERY_MS = 10_000;
/** The part of a timeout after which Redis must not run a write any more; the rest is for the reply. */
const DEADLINE_SHARE = 0.8;

/** A check, and the window of its key. Times are milliseconds since the epoch by the clock of Redis. */
export interface CheckResult {
  readonly key: string;
  readonly limit: number;
  readonly windowEndsAt: number;
  readonly allowed: boolean;
  /** Requests left in the window after this check, as far as the deciding pod or Redis knows. */
  readonly remaining: number;
}

export class Limiter {
  readonly #config: LimiterConfig;
  readonly #log: Logger;
  readonly #redis: RedisConnections;
  readonly #windows: Windows;
  #stopSync = async (): Promise<void> => undefined;
  /** How far the clock of Redis is ahead of the monotonic clock here, by its last reply. */
  #redisAheadMs = Date.now() - performance.now();
  #lastWarning = Number.NEGATIVE_INFINITY;

  /**
   * Begins to connect; waits for a missing Redis in the background.
   * @throws if the CA file cannot be read
   */
  constructor(config: LimiterConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
    this.#redis = openConnections(config, (error) => this.#warn('a connection to Redis failed', error));
    this.#windows = new Windows(config.nodeId, config);
  }

  /** Waits until Redis is connected, at most `ms`; without it the pod starts all the same. */
  async awaitRedis(ms: number): Promise<void> {
    const connecting = Object.values(this.#redis).map(
      async (redis) => await new Promise((resolve) => redis.once('ready', resolve)),
    );
    await within(Promise.all(connecting), ms);
  }

  /** Starts to sync counts. */
  start(): void {
    // In strict mode every check writes its own count.
    if (this.#config.mode === 'approximate')
      this.#stopSync = repeat(SYNC_EVERY_MS, async () => await this.#sync());
  }

  /**
   * Decides one request.
   * @throws UndecidedError in strict mode
   */
  async check(key: string): Promise<CheckResult> {
    return await (this.#config.mode === 'strict' ? this.#checkStrictly(key) : this.#checkLocally(key));
  }

  /**
   * The requests that this pod admitted in the key's window, those of them that Redis is known to hold, and the hash with
   * the counts of all pods.
   */
  async counter(key: string) {
    const window = await this.#current(key);
    const { admitted, synced } = window;
    return { ...this.#view(window), admitted, synced, redisKey: countKey(key) };
  }

  /** Whether Redis answers a PING, which takes at most two seconds. */
  async reachesRedis(): Promise<boolean> {
    return (await within(succeeds(this.#redis.reader.ping()), READ_TIMEOUT_MS)) === true;
  }

  /** The time of Redis in milliseconds since the epoch; that of this machine before the first reply of Redis. */
  now(): number {
    return Math.floor(performance.now() + this.#redisAheadMs);
  }

  /** Delivers the last counts, which takes at most ten seconds, and closes the connections. */
  async stop(): Promise<void> {
    // Writes that a pause of Redis holds back wait here, too.
    await within(
      this.#stopSync().then(async () => await this.#sync()),
      FLUSH_TIMEOUT_MS,
    );
    const lost = this.#config.mode === 'strict' ? 0 : this.#windows.pending(this.now());
    if (lost > 0) this.#log.warn({ lost }, 'Redis did not take the last counts in time: they are lost');
    for (const redis of Object.values(this.#redis)) redis.disconnect();
  }

  async #checkLocally(key: string): Promise<CheckResult> {
    await this.#current(key);
    const { allowed, window } = this.#windows.admit(key, this.now());
    return { ...this.#view(window), allowed, remaining: this.#windows.remaining(window) };
  }

  async #checkStrictly(key: string): Promise<CheckResult> {
    const { checkTimeoutMs, limit, nodeId, windowMs } = this.#config;
    // When Redis must no longer run a write that is sent now.
    const deadline = Math.floor(this.now() + checkTimeoutMs * DEADLINE_SHARE);
    const parts = { deadline, limit, windowMs };
    const checking = checkInRedis(this.#redis.writer, nodeId, key, parts).catch((cause: unknown) => {
      const message =
        'Redis cannot be reached or refused the command: see GET /health and the log of this pod';
      throw new UndecidedError('REDIS_UNAVAILABLE', message, { cause });
    });
    const checked = await within(checking, checkTimeoutMs);
    if (checked === TIMED_OUT || checked === 'late') {
      const message = 'Redis sent no reply before the deadline of the check; strict mode never guesses';
      throw new UndecidedError('CHECK_DEADLINE_EXCEEDED', message);
    }
    const { allowed, endsAt, now, total } = checked;
    this.#hear(now);
    const remaining = Math.max(0, limit - total - (allowed ? 1 : 0));
    return { key, limit, windowEndsAt: endsAt, allowed, remaining };
  }

  /** The window of a key. Of one that this pod has not used lately, it first reads what Redis holds. */
  async #current(key: string): Promise<PodWindow> {
    if (!this.#windows.has(key) || this.#config.mode === 'strict') await this.#learn(key);
    return this.#windows.use(key, this.now());
  }

  /** Reads what Redis holds of a key, if it replies soon. Works while writes stall. Never rejects. */
  async #learn(key: string): Promise<void> {
    const reading = readWindow(this.#redis.reader, key).catch((error: unknown) => {
      this.#warn('a read of counts failed', error);
    });
    const read = await within(reading, LEARN_TIMEOUT_MS);
    if (!read || read === TIMED_OUT) return;
    this.#hear(read.now);
    this.#windows.learn(key, read.window, read.now);
  }

  /** The estimate is behind by at most the way of a reply. */
  #hear(redisNow: number): void {
    this.#redisAheadMs = redisNow - performance.now();
  }

  /** Exchanges counts with Redis, however long that takes; a failed sync is repeated by the next one. */
  async #sync(): Promise<void> {
    const all = this.#windows.toSync(this.now());
    try {
      for (let i = 0; i < all.length; i += SYNC_BATCH) {
        const counts = all.slice(i, i + SYNC_BATCH);
        const { now, windows } = await syncCounts(this.#redis.writer, this.#config.nodeId, counts);
        this.#hear(now);
        for (const [j, { key }] of counts.entries()) {
          const stored = windows[j];
          if (stored) this.#windows.learn(key, stored, now);
        }
      }
    } catch (error) {
      this.#warn('a sync of counts failed and will be repeated', error);
    }
  }

  #view({ endsAt, key }: PodWindow) {
    return { key, limit: this.#config.limit, windowEndsAt: endsAt };
  }

  /** Logs a warning, at most one in ten seconds: without Redis everything fails ten times a second. */
  #warn(message: string, error: unknown): void {
    const now = performance.now();
    if (now - this.#lastWarning < WARN_EVERY_MS) return;
    this.#lastWarning = now;
    this.#log.warn({ reason: error instanceof Error ? error.message : String(error) }, message);
  }
}
