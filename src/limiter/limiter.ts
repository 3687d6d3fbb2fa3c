/**
 * One node of the rate limiter: what its HTTP endpoints do, without HTTP.
 *
 * approximate: a check is decided from memory - this node's own count and what it last saw of the others -
 * and counts reach Redis every 100 ms. Fast, available without Redis, and wrong in two ways by design: a
 * burst over N nodes is admitted up to N times the limit, and while Redis takes no writes the nodes' counts
 * run ahead of it.
 * strict: a check is one atomic script in Redis with a deadline inside. Exact; refuses when in doubt.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { LimiterConfig } from './config.ts';
import { openConnections, type RedisConnections } from './connections.ts';
import { DEADLINE_SHARE, TIMED_OUT, within } from './deadline.ts';
import { LimiterError, refused } from './errors.ts';
import { Learner } from './learner.ts';
import { createMetrics, type LimiterMetrics } from './metrics.ts';
import { acknowledge, admit } from './node-window.ts';
import { type Periodic, startPeriodic } from './periodic.ts';
import { answerOf, Reads } from './reads.ts';
import { RedisClock } from './redis-clock.ts';
import { StrictChecks } from './strict-checks.ts';
import { type BookedWindow, WindowBook } from './window-book.ts';
import { Writes } from './writes.ts';

/** Most windows in one sync: a script holds Redis up while it runs. */
const SYNC_BATCH = 512;

/** Redis silent for this long: writes that wait are on a dead connection, which is made anew. */
const SILENT_REDIS_MS = 5_000;

/** How often it is checked whether Redis answers. */
const WATCH_EVERY_MS = 1_000;

const WARN_EVERY_MS = 10_000;

/** A key's window as the endpoints show it. Times are ms since the epoch by Redis's clock. */
export interface WindowView {
  readonly key: string;
  readonly limit: number;
  readonly windowMs: number;
  readonly windowId: string;
  readonly windowEndsAt: number;
}

export interface CheckResult extends WindowView {
  readonly allowed: boolean;
  /** What is left in the window after this check, as far as the one who decided knows. */
  readonly remaining: number;
}

export interface CounterView extends WindowView {
  /** Requests this node admitted in the window. */
  readonly admitted: number;
  /** What this node knows Redis to hold for it in the window. */
  readonly synced: number;
  /** Hash in which Redis counts the window. */
  readonly redisKey: string;
}

export interface Health {
  readonly redisConnected: boolean;
  /** Requests admitted here that Redis does not hold yet. */
  readonly pending: number;
}

export class Limiter {
  readonly metrics: LimiterMetrics;
  readonly #config: LimiterConfig;
  readonly #log: Logger;
  readonly #connections: RedisConnections;
  readonly #clock = new RedisClock();
  readonly #book: WindowBook;
  readonly #reads: Reads;
  readonly #writes: Writes;
  readonly #learner: Learner;
  readonly #strictChecks: StrictChecks;
  #loops: readonly Periodic[] = [];
  #lastPong = performance.now();
  #lastWarning = Number.NEGATIVE_INFINITY;

  /**
   * Begins to connect; a Redis that is not there yet is waited for in the background.
   * @throws when the CA file cannot be read
   */
  constructor(config: LimiterConfig, log: Logger) {
    const node = config.nodeId;
    this.#config = config;
    this.#log = log;
    this.#connections = openConnections(config.redis, node, (connection, error) =>
      this.#warn(`the ${connection} connection to Redis failed`, error),
    );
    this.#book = new WindowBook(node);
    this.#reads = new Reads(this.#connections.reader, this.#clock);
    this.#writes = new Writes(this.#connections.writer, node);
    this.#learner = new Learner({
      node,
      book: this.#book,
      reads: this.#reads,
      writes: this.#writes,
      clock: this.#clock,
      restores: config.mode === 'approximate',
    });
    this.metrics = createMetrics(node, config.mode, () => this.#book.pendingCount());
    this.#strictChecks = new StrictChecks({
      writes: this.#writes,
      timeoutMs: config.checkTimeoutMs,
      now: () => this.now(),
      current: async (key) => await this.#current(key),
      load: async (key) => await this.#load(key),
    });
  }

  /** Waits until Redis is connected, `ms` at most; without it the node starts all the same. */
  async awaitRedis(ms: number): Promise<void> {
    await within(this.#connections.connected(), ms);
  }

  /** Joins the others: counts are synced and learned. */
  start(): void {
    const { mode, syncIntervalMs } = this.#config;
    this.#loops = [
      startPeriodic(syncIntervalMs, async () => await this.#poll()),
      startPeriodic(WATCH_EVERY_MS, async () => await this.#watchRedis()),
      // In strict mode every check writes for itself.
      ...(mode === 'approximate' ? [startPeriodic(syncIntervalMs, async () => await this.#sync())] : []),
    ];
  }

  /**
   * Decides one request.
   * @throws LimiterError LIMIT_UNKNOWN, REDIS_UNAVAILABLE; in strict mode also CHECK_DEADLINE_EXCEEDED and
   *   OVERLOADED. None of them admits.
   */
  async check(key: string): Promise<CheckResult> {
    try {
      const result = await (this.#config.mode === 'strict'
        ? this.#checkStrictly(key)
        : this.#checkLocally(key));
      this.metrics.checks.inc({ result: result.allowed ? 'allowed' : 'denied' });
      return result;
    } catch (error) {
      const unknown = error instanceof LimiterError && error.code === 'LIMIT_UNKNOWN';
      this.metrics.checks.inc({ result: unknown ? 'unknown_key' : 'unavailable' });
      throw error;
    }
  }

  /**
   * Defines a limit and starts a fresh window of it, at once on this node and within about a sync interval
   * on the others.
   * @throws LimiterError REDIS_WRITE_TIMEOUT, REDIS_UNAVAILABLE
   */
  async define(
    key: string,
    limit: number,
    windowMs: number,
  ): Promise<WindowView & { readonly replaced: boolean }> {
    const generation = randomBytes(6).toString('hex');
    const reply = await this.#write((deadline) =>
      this.#writes.define({ key, limit, windowMs, generation }, deadline),
    );
    const { definition, replaced } = reply;
    this.#book.install(definition, new Map(), definition.startsAt);
    return { ...viewOf(await this.#current(key)), replaced };
  }

  /**
   * Removes a limit, at once on this node and within about a sync interval on the others.
   * @throws LimiterError LIMIT_UNKNOWN, REDIS_WRITE_TIMEOUT, REDIS_UNAVAILABLE
   */
  async remove(key: string): Promise<void> {
    const reply = await this.#write((deadline) => this.#writes.remove(key, deadline));
    this.#book.forget(key);
    if (reply === 'unknown') throw new LimiterError('LIMIT_UNKNOWN');
  }

  /** The key's definition and current window. @throws LimiterError LIMIT_UNKNOWN, REDIS_UNAVAILABLE */
  async describe(key: string): Promise<WindowView> {
    return viewOf(await this.#current(key));
  }

  /** What this node admitted in the key's window. @throws LimiterError LIMIT_UNKNOWN, REDIS_UNAVAILABLE */
  async counter(key: string): Promise<CounterView> {
    const booked = await this.#current(key);
    const { admitted, synced } = booked.state;
    return { ...viewOf(booked), admitted, synced, redisKey: booked.redisKey };
  }

  /** Asks Redis for a PONG over a connection of its own; takes at most two seconds. */
  async health(): Promise<Health> {
    const redisConnected = await this.#ping();
    return { redisConnected, pending: this.#book.pendingCount() };
  }

  /** Redis's time in ms; this machine's while Redis was never heard. */
  now(): number {
    return this.#clock.now() ?? Date.now();
  }

  /** Delivers the last counts within the flush timeout and closes the connections. */
  async stop(): Promise<void> {
    const giveUpAt = performance.now() + this.#config.flushTimeoutMs;
    const left = (): number => Math.max(0, giveUpAt - performance.now());
    await within(Promise.all(this.#loops.map(async (loop) => await loop.stop())), left());
    while (this.#config.mode === 'approximate' && this.#book.pendingCount() > 0 && left() > 0) {
      await within(this.#sync(), left());
      if (this.#book.pendingCount() > 0) await sleep(Math.min(50, left()));
    }
    const lost = this.#book.pendingCount();
    if (lost > 0) this.#log.warn({ lost }, 'Redis did not take the last counts in time: they are lost');
    this.#connections.close();
    this.metrics.registry.clear();
  }

  async #checkLocally(key: string): Promise<CheckResult> {
    const booked = await this.#current(key);
    const { window, admission } = admit(booked.state, booked.limit);
    booked.state = window;
    return { ...viewOf(booked), ...admission };
  }

  async #checkStrictly(key: string): Promise<CheckResult> {
    const { booked, ...decided } = await this.#strictChecks.check(key);
    return { ...viewOf(booked), ...decided };
  }

  /** The open window of `key`; asks Redis for a key this node does not know. */
  async #current(key: string): Promise<BookedWindow> {
    const find = (): BookedWindow | undefined => {
      const now = this.#clock.now();
      return now === undefined ? undefined : this.#book.current(key, now);
    };
    const known = find();
    if (known !== undefined) return known;
    await this.#load(key);
    const loaded = find();
    if (loaded === undefined) throw new LimiterError('LIMIT_UNKNOWN');
    return loaded;
  }

  async #load(key: string): Promise<void> {
    const found = await this.#learner.load(key).catch(refused);
    if (!found) throw new LimiterError('LIMIT_UNKNOWN');
  }

  /** A write of a definition, void in Redis before its caller is told that it failed. */
  async #write<T>(write: (deadline: number) => Promise<T | 'late'>): Promise<Exclude<T, 'late'>> {
    const timeout = this.#config.writeTimeoutMs;
    if (this.#clock.now() === undefined) await this.#reads.time().catch(refused);
    const reply = await within(
      write(Math.floor(this.now() + timeout * DEADLINE_SHARE)).catch(refused),
      timeout,
    );
    if (reply === TIMED_OUT || reply === 'late') throw new LimiterError('REDIS_WRITE_TIMEOUT');
    return reply as Exclude<T, 'late'>;
  }

  /** Sends what Redis does not hold yet, however long that takes; what fails stays pending for the next. */
  async #sync(): Promise<void> {
    const windows = this.#book.pending().slice(0, SYNC_BATCH);
    if (windows.length === 0) return;
    const sent = windows.map(({ state }) => state.admitted);
    try {
      const stored = await this.#writes.sync(windows);
      for (const [i, booked] of windows.entries()) {
        booked.state = acknowledge(booked.state, this.#config.nodeId, sent[i] ?? 0, stored[i] ?? new Map());
      }
    } catch (error) {
      this.#warn('a sync of counts failed and will be repeated', error);
    }
  }

  async #ping(): Promise<boolean> {
    const answered = await answerOf(this.#connections.health.ping()).then(
      () => true,
      () => false,
    );
    if (answered) this.#lastPong = performance.now();
    this.metrics.redisUp.set(answered ? 1 : 0);
    return answered;
  }

  /**
   * Writes wait without a limit, so a peer that vanished without a word would hold them for the many minutes
   * TCP takes to notice. Repeating them is harmless: counts are absolute, the rest carries a deadline.
   */
  async #watchRedis(): Promise<void> {
    if ((await this.#ping()) || this.#writes.underWay === 0) return;
    if (performance.now() - this.#lastPong > SILENT_REDIS_MS) this.#connections.writer.disconnect(true);
  }

  async #poll(): Promise<void> {
    try {
      await this.#learner.poll();
    } catch (error) {
      this.#warn('a poll failed', error);
    }
  }

  /** Logs a warning, at most one in ten seconds: without Redis everything fails ten times a second. */
  #warn(message: string, error: unknown): void {
    const now = performance.now();
    if (now - this.#lastWarning < WARN_EVERY_MS) return;
    this.#lastWarning = now;
    this.#log.warn({ reason: error instanceof Error ? error.message : String(error) }, message);
  }
}

function viewOf({ key, limit, windowMs, window }: BookedWindow): WindowView {
  return { key, limit, windowMs, windowId: window.id, windowEndsAt: window.endsAt };
}
