/**
 * How a node learns: definitions on demand, and by polling whatever changes in Redis - newer definitions,
 * deleted ones, the counts of others, the clock. Reads only, so it goes on during a write pause.
 *
 * A definition that Redis has lost (restarted without persistence, flushed) is put back by the approximate
 * mode, whose nodes hold the counts as well and write them again. The strict mode keeps its counts in Redis
 * alone: with them the definition is gone, and the key is unknown until somebody defines it anew.
 */
import { observe } from './node-window.ts';
import type { Reads } from './reads.ts';
import type { RedisClock } from './redis-clock.ts';
import { windowKey } from './redis-layout.ts';
import { type LimitDefinition, windowAt } from './window.ts';
import type { WindowBook } from './window-book.ts';
import type { Writes } from './writes.ts';

export class Learner {
  readonly #node: string;
  readonly #book: WindowBook;
  readonly #reads: Reads;
  readonly #writes: Writes;
  readonly #clock: RedisClock;
  readonly #restores: boolean;
  readonly #loading = new Map<string, Promise<boolean>>();
  readonly #restoring = new Set<string>();

  constructor(parts: {
    readonly node: string;
    readonly book: WindowBook;
    readonly reads: Reads;
    readonly writes: Writes;
    readonly clock: RedisClock;
    /** Whether definitions that Redis has lost are put back. */
    readonly restores: boolean;
  }) {
    this.#node = parts.node;
    this.#book = parts.book;
    this.#reads = parts.reads;
    this.#writes = parts.writes;
    this.#clock = parts.clock;
    this.#restores = parts.restores;
  }

  /**
   * Reads the definition of `key` and its current counts from Redis. Calls for one key share one read.
   * @returns whether there is a definition
   * @throws the connection's error
   */
  async load(key: string): Promise<boolean> {
    const known = this.#loading.get(key);
    if (known !== undefined) return await known;
    const loading = this.#load(key).finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return await loading;
  }

  /**
   * Looks once at everything this node knows of.
   * @throws the connection's error
   */
  async poll(): Promise<void> {
    await this.#reads.time();
    const now = this.#clock.now();
    if (now === undefined) return;
    const unchanged = this.#writes.watch();
    const definitions = this.#book.definitions();
    const stored = await this.#reads.limits(definitions.map(({ key }) => key));
    const windows = definitions.flatMap((definition) => this.#book.peek(definition, now) ?? []);
    const counts = await this.#reads.counts(windows.map(({ redisKey }) => redisKey));
    const current = unchanged();
    for (const [i, booked] of windows.entries()) {
      booked.state = observe(booked.state, this.#node, counts[i] ?? new Map(), current);
    }
    for (const [i, definition] of definitions.entries()) {
      const found = stored[i];
      if (found?.kind === 'defined') {
        if (found.definition.generation !== definition.generation) await this.load(definition.key);
      } else if (found?.kind === 'absent' && this.#restores) {
        this.#restore(definition);
      } else if (this.#book.definition(definition.key)?.generation === definition.generation) {
        // Only what was looked at: a newer definition may have come in meanwhile.
        this.#book.forget(definition.key);
      }
    }
    this.#book.sweep(now);
  }

  async #load(key: string): Promise<boolean> {
    if (this.#clock.now() === undefined) await this.#reads.time();
    const before = this.#book.definition(key)?.generation;
    const [stored] = await this.#reads.limits([key]);
    const now = this.#clock.now();
    if (stored?.kind !== 'defined' || now === undefined) {
      if (before !== undefined && this.#book.definition(key)?.generation === before) this.#book.forget(key);
      return this.#book.definition(key) !== undefined;
    }
    const { definition } = stored;
    const [counts] = await this.#reads.counts([windowKey(key, windowAt(definition, now).id)]);
    this.#book.install(definition, counts ?? new Map(), now);
    return true;
  }

  #restore(definition: LimitDefinition): void {
    if (this.#restoring.has(definition.key)) return;
    this.#restoring.add(definition.key);
    // A failure shows in the next poll, which finds the definition absent still.
    this.#writes
      .restore(definition)
      .catch(() => undefined)
      .finally(() => this.#restoring.delete(definition.key))
      .catch(() => undefined);
  }
}
