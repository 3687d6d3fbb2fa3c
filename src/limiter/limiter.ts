/**
 * One node of the rate limiter: what its HTTP endpoints do, without HTTP.
 *
 * - approximate: a check is decided from memory - this node's own count and the last known counts of the others - and
 *   counts reach Redis every 100 ms. Fast, available without Redis, and wrong in two ways by design: a burst over N
 *   nodes is admitted up to N times the limit, and while writes to Redis stall the nodes' counts run ahead of it.
 * - strict: a check is one atomic script in Redis with a deadline inside. Exact; rejects when in doubt.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { LimiterConfig } from './config.ts';
import { LimiterError, unavailable } from './errors.ts';
import { createMetrics, type LimiterMetrics } from './metrics.ts';
import { openConnections, type RedisConnections } from './redis.ts';
import { RedisClock } from './redis-clock.ts';
import {
  checkInRedis,
  defineLimit,
  readCounts,
  readLimits,
  removeLimit,
  windowKey,
  writeCounts,
} from './store.ts';
import { repeat, within } from './timing.ts';
import { admit, observe, windowAt } from './window.ts';
import { type BookedWindow, WindowBook } from './window-book.ts';

/** Most windows in one sync: a script blocks Redis while it runs. */
const SYNC_BATCH = 512;
/** Timeout of a read or ping. */
const READ_TIMEOUT_MS = 2_000;
/** If Redis is silent for this long, writes that wait are on a dead connection, which is replaced. */
const SILENT_REDIS_MS = 5_000;
const WATCH_EVERY_MS = 1_000;
const WARN_EVERY_MS = 10_000;
/** The part of a timeout after which Redis must not run a write any more; the rest is for the reply. */
const DEADLINE_SHARE = 0.8;

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
  /** Requests left in the window after this check, as far as the deciding node or Redis knows. */
  readonly remaining: number;
}

export interface CounterView extends WindowView {
  /** Requests this node admitted in the window. */
  readonly admitted: number;
  /** The count of this node in the window that Redis is known to hold. */
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
  readonly #redis: RedisConnections;
  readonly #clock = new RedisClock();
  readonly #book: WindowBook;
  #stops: readonly (() => Promise<void>)[] = [];
  /** How many syncs were sent, and whether one is under way: a read that overlaps one may be out of date. */
  #syncs = 0;
  #isSyncing = false;
  #lastPong = performance.now();
  #lastWarning = Number.NEGATIVE_INFINITY;

  /**
   * Begins to connect; waits for a missing Redis in the background.
   * @throws if the CA file cannot be read
   */
  constructor(config: LimiterConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
    this.#redis = openConnections(config, (error) => this.#warn('a connection to Redis failed', error));
    this.#book = new WindowBook(config.nodeId);
    this.metrics = createMetrics(config.nodeId, config.mode, () => this.#book.pendingCount());
  }

  /** Waits until Redis is connected, at most `ms`; without it the node starts all the same. */
  async awaitRedis(ms: number): Promise<void> {
    const connecting = Object.values(this.#redis).map(
      async (redis) => await new Promise((resolve) => redis.once('ready', resolve)),
    );
    await within(Promise.all(connecting), ms);
  }

  /** Starts to sync and read counts. */
  start(): void {
    const { mode, syncIntervalMs } = this.#config;
    this.#stops = [
      repeat(syncIntervalMs, async () => {
        await this.#poll().catch((error: unknown) => this.#warn('a poll failed', error));
      }),
      repeat(WATCH_EVERY_MS, async () => await this.#watchRedis()),
      // In strict mode every check writes its own count.
      ...(mode === 'approximate' ? [repeat(syncIntervalMs, async () => await this.#sync())] : []),
    ];
  }

  /**
   * Decides one request.
   * @throws LimiterError LIMIT_UNKNOWN, REDIS_UNAVAILABLE; in strict mode also CHECK_DEADLINE_EXCEEDED. None admits.
   */
  async check(key: string): Promise<CheckResult> {
    try {
      const result = await (this.#config.mode === 'strict'
        ? this.#checkStrictly(key)
        : this.#checkLocally(key));
      this.metrics.checks.inc({ result: result.allowed ? 'allowed' : 'denied' });
      return result;
    } catch (error) {
      const isUnknown = error instanceof LimiterError && error.code === 'LIMIT_UNKNOWN';
      this.metrics.checks.inc({ result: isUnknown ? 'unknown_key' : 'unavailable' });
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
    const wanted = { key, limit, windowMs, generation: randomBytes(6).toString('hex') };
    const { definition, replaced } = await this.#write((deadline) =>
      defineLimit(this.#redis.writer, wanted, deadline),
    );
    this.#book.install(definition, new Map(), definition.startsAt);
    return { ...viewOf(await this.#current(key)), replaced };
  }

  /**
   * Removes a limit, at once on this node and within about a sync interval on the others.
   * @throws LimiterError LIMIT_UNKNOWN, REDIS_WRITE_TIMEOUT, REDIS_UNAVAILABLE
   */
  async remove(key: string): Promise<void> {
    const outcome = await this.#write((deadline) => removeLimit(this.#redis.writer, key, deadline));
    this.#book.forget(key);
    if (outcome === 'unknown') throw new LimiterError('LIMIT_UNKNOWN');
  }

  /** The key's definition and current window. @throws LimiterError LIMIT_UNKNOWN, REDIS_UNAVAILABLE */
  async describe(key: string): Promise<WindowView> {
    return viewOf(await this.#current(key));
  }

  /** The requests that this node admitted in the key's window. @throws LimiterError LIMIT_UNKNOWN, REDIS_UNAVAILABLE */
  async counter(key: string): Promise<CounterView> {
    const booked = await this.#current(key);
    const { admitted, synced } = booked.state;
    return { ...viewOf(booked), admitted, synced, redisKey: booked.redisKey };
  }

  /** Whether Redis answers a PING; takes at most two seconds. */
  async health(): Promise<Health> {
    const redisConnected = await this.#ping();
    return { redisConnected, pending: this.#book.pendingCount() };
  }

  /** Redis's time in ms; this machine's before the first reply of Redis. */
  now(): number {
    return this.#clock.now() ?? Date.now();
  }

  /** Delivers the last counts within the flush timeout and closes the connections. */
  async stop(): Promise<void> {
    const giveUpAt = performance.now() + this.#config.flushTimeoutMs;
    const left = (): number => Math.max(0, giveUpAt - performance.now());
    await within(Promise.all(this.#stops.map(async (stop) => await stop())), left());
    while (this.#config.mode === 'approximate' && this.#book.pendingCount() > 0 && left() > 0) {
      await within(this.#sync(), left());
      if (this.#book.pendingCount() > 0) await sleep(Math.min(50, left()));
    }
    const lost = this.#book.pendingCount();
    if (lost > 0) this.#log.warn({ lost }, 'Redis did not take the last counts in time: they are lost');
    for (const redis of Object.values(this.#redis)) redis.disconnect();
    this.metrics.registry.clear();
  }

  async #checkLocally(key: string): Promise<CheckResult> {
    const booked = await this.#current(key);
    const { window, ...admission } = admit(booked.state, booked.definition.limit);
    booked.state = window;
    return { ...viewOf(booked), ...admission };
  }

  async #checkStrictly(key: string): Promise<CheckResult> {
    const { checkTimeoutMs, nodeId } = this.#config;
    const deadline = Math.floor(this.now() + checkTimeoutMs * DEADLINE_SHARE);
    const checking = checkInRedis(this.#redis.writer, nodeId, key, deadline).catch(unavailable);
    const checked = await within(checking, checkTimeoutMs);
    if (checked === undefined || checked === 'late') throw new LimiterError('CHECK_DEADLINE_EXCEEDED');
    if (checked === 'unknown') {
      this.#book.forget(key);
      throw new LimiterError('LIMIT_UNKNOWN');
    }
    const { allowed, at, definition, own, total } = checked;
    // If the window is new here, Redis may already hold counts of this node from before a restart.
    this.#book.install(definition, new Map([[nodeId, allowed ? own - 1 : own]]), at);
    const booked = this.#book.open(definition, at);
    const { admitted, synced } = booked.state;
    booked.state = {
      ...booked.state,
      admitted: allowed ? admitted + 1 : admitted,
      synced: Math.max(synced, own),
    };
    const remaining = Math.max(0, definition.limit - total - (allowed ? 1 : 0));
    return { ...viewOf(booked), allowed, remaining };
  }

  /** The open window of `key`, read from Redis if this node does not know the key. */
  async #current(key: string): Promise<BookedWindow> {
    const find = (): BookedWindow | undefined => {
      const now = this.#clock.now();
      return now === undefined ? undefined : this.#book.current(key, now);
    };
    const known = find();
    if (known !== undefined) return known;
    await this.#load(key).catch(unavailable);
    const loaded = find();
    if (loaded === undefined) throw new LimiterError('LIMIT_UNKNOWN');
    return loaded;
  }

  /** Reads the definition of `key` and its current counts, if Redis has any. */
  async #load(key: string): Promise<void> {
    if (this.#clock.now() === undefined) await this.#readTime();
    const { reader } = this.#redis;
    const [definition] = await answer(readLimits(reader, [key]));
    if (typeof definition !== 'object') return;
    const now = this.now();
    const [counts] = await answer(readCounts(reader, [windowKey(key, windowAt(definition, now).id)]));
    this.#book.install(definition, counts ?? new Map(), now);
  }

  /**
   * Reads possible changes from Redis: newer definitions, deleted ones, the counts of others, the clock. Reads only, so
   * it continues while writes stall. A definition that Redis has lost stays known to this node.
   */
  async #poll(): Promise<void> {
    await this.#readTime();
    const { reader } = this.#redis;
    const [now, syncs, wasSyncing] = [this.now(), this.#syncs, this.#isSyncing];
    const definitions = this.#book.definitions();
    const stored = await answer(
      readLimits(
        reader,
        definitions.map(({ key }) => key),
      ),
    );
    const windows = definitions.flatMap((definition) => this.#book.peek(definition, now) ?? []);
    const counts = await answer(
      readCounts(
        reader,
        windows.map(({ redisKey }) => redisKey),
      ),
    );
    const isCurrent = this.#config.mode === 'approximate' && !wasSyncing && syncs === this.#syncs;
    for (const [i, booked] of windows.entries()) {
      booked.state = observe(booked.state, this.#config.nodeId, counts[i] ?? new Map(), isCurrent);
    }
    for (const [i, { generation, key }] of definitions.entries()) {
      const found = stored[i];
      if (typeof found === 'object' && found.generation !== generation) await this.#load(key);
      // Only the generation that was read: a newer definition may have come in since.
      if (found === 'deleted' && this.#book.definition(key)?.generation === generation) {
        this.#book.forget(key);
      }
    }
    this.#book.sweep(now);
  }

  async #readTime(): Promise<void> {
    const sentAt = this.#clock.mark();
    // The types promise numbers, but the reply consists of strings.
    const [seconds, microseconds] = await answer(this.#redis.reader.time());
    this.#clock.observe(sentAt, [Number(seconds), Number(microseconds)]);
  }

  /** Writes a definition; by the time its caller gets an error, Redis no longer runs it. */
  async #write<T>(write: (deadline: number) => Promise<T | 'late'>): Promise<Exclude<T, 'late'>> {
    const timeout = this.#config.writeTimeoutMs;
    if (this.#clock.now() === undefined) await this.#readTime().catch(unavailable);
    const deadline = Math.floor(this.now() + timeout * DEADLINE_SHARE);
    const reply = await within(write(deadline).catch(unavailable), timeout);
    if (reply === undefined || reply === 'late') throw new LimiterError('REDIS_WRITE_TIMEOUT');
    return reply as Exclude<T, 'late'>;
  }

  /** Sends counts that Redis does not hold yet, however long that takes; failed ones stay pending for the next sync. */
  async #sync(): Promise<void> {
    const windows = this.#book.pending().slice(0, SYNC_BATCH);
    if (windows.length === 0) return;
    this.#syncs += 1;
    this.#isSyncing = true;
    const sent = windows.map(({ expiresAt, redisKey, state }) => ({
      redisKey,
      expiresAt,
      admitted: state.admitted,
    }));
    try {
      const stored = await writeCounts(this.#redis.writer, this.#config.nodeId, sent);
      for (const [i, booked] of windows.entries()) {
        booked.state = observe(booked.state, this.#config.nodeId, stored[i] ?? new Map(), false);
      }
    } catch (error) {
      this.#warn('a sync of counts failed and will be repeated', error);
    } finally {
      this.#isSyncing = false;
    }
  }

  async #ping(): Promise<boolean> {
    const answered = await answer(this.#redis.reader.ping()).then(
      () => true,
      () => false,
    );
    if (answered) this.#lastPong = performance.now();
    this.metrics.redisUp.set(answered ? 1 : 0);
    return answered;
  }

  /**
   * Writes wait without a limit, so a vanished peer would hold them for the many minutes until TCP notices. Repeating
   * them is harmless: counts are absolute, the rest carries a deadline.
   */
  async #watchRedis(): Promise<void> {
    if (await this.#ping()) return;
    const { writer } = this.#redis;
    const isSilent = performance.now() - this.#lastPong > SILENT_REDIS_MS;
    if (isSilent && writer.status === 'ready') writer.disconnect(true);
  }

  /** Logs a warning, at most one in ten seconds: without Redis everything fails ten times a second. */
  #warn(message: string, error: unknown): void {
    const now = performance.now();
    if (now - this.#lastWarning < WARN_EVERY_MS) return;
    this.#lastWarning = now;
    this.#log.warn({ reason: error instanceof Error ? error.message : String(error) }, message);
  }
}

/** Waits for a reply of Redis. @throws its error, or one on timeout */
async function answer<T>(reply: Promise<T>): Promise<T> {
  const answered = await within(
    reply.then((value) => ({ value })),
    READ_TIMEOUT_MS,
  );
  if (answered === undefined) throw new Error(`Redis gave no answer within ${READ_TIMEOUT_MS} ms`);
  return answered.value;
}

function viewOf({ definition, window }: BookedWindow): WindowView {
  const { key, limit, windowMs } = definition;
  return { key, limit, windowMs, windowId: window.id, windowEndsAt: window.endsAt };
}
