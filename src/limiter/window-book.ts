/**
 * What a node holds in memory: the definitions it knows, and its windows. No input or output.
 *
 * A window stays until it has ended and Redis holds its count: a node delivers the last counts of a window
 * late rather than never. A definition nobody asks for is let go, so memory follows the traffic.
 */
import { type Counts, isPending, type NodeWindow, openWindow } from './node-window.ts';
import { WINDOW_GRACE_MS, windowKey } from './redis-layout.ts';
import { type FixedWindow, type LimitDefinition, supersedes, windowAt } from './window.ts';

/** A definition is let go when it was not asked for in two windows, and in this long. */
const IDLE_MS = 60_000;

/** An ended window is kept this much longer: the estimate of Redis's clock may step back a little. */
const ENDED_MS = 5_000;

/** One window of one key, as this node sees it; `state` is replaced as knowledge grows. */
export interface BookedWindow {
  readonly key: string;
  readonly limit: number;
  readonly windowMs: number;
  readonly generation: string;
  readonly window: FixedWindow;
  /** Hash in which Redis counts this window. */
  readonly redisKey: string;
  /** When that hash expires. */
  readonly expiresAt: number;
  state: NodeWindow;
}

interface Entry {
  definition: LimitDefinition;
  askedAt: number;
}

export class WindowBook {
  readonly #node: string;
  readonly #entries = new Map<string, Entry>();
  readonly #windows = new Map<string, BookedWindow>();

  constructor(node: string) {
    this.#node = node;
  }

  /** The definition of `key`, if known. */
  definition(key: string): LimitDefinition | undefined {
    return this.#entries.get(key)?.definition;
  }

  /** All definitions known. */
  definitions(): LimitDefinition[] {
    return [...this.#entries.values()].map(({ definition }) => definition);
  }

  /**
   * Takes in a definition unless a later one is known, and opens its window at `now` with what Redis holds
   * in it.
   */
  install(definition: LimitDefinition, stored: Counts, now: number): void {
    const entry = this.#entries.get(definition.key);
    if (!supersedes(definition, entry?.definition)) return;
    this.#entries.set(definition.key, { definition, askedAt: entry?.askedAt ?? now });
    this.#open(definition, now, stored);
  }

  /** Lets go of a definition; counts of it that Redis does not hold yet are still delivered. */
  forget(key: string): void {
    this.#entries.delete(key);
  }

  /** The window of `key` that holds `now`, opened when it is new; undefined when the key is not known. */
  current(key: string, now: number): BookedWindow | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.askedAt = now;
    // Windows after the first begin within this node's life: nothing of it can be in Redis.
    return this.#open(entry.definition, now, new Map());
  }

  /** The window of a definition at `now`, if it is open; asking does not count as use. */
  peek(definition: LimitDefinition, now: number): BookedWindow | undefined {
    return this.#windows.get(windowKey(definition.key, windowAt(definition, now).id));
  }

  /** Windows with counts that Redis does not hold, ended ones too. */
  pending(): BookedWindow[] {
    return [...this.#windows.values()].filter(({ state }) => isPending(state));
  }

  /** Requests admitted here that Redis does not hold, over all windows. */
  pendingCount(): number {
    return this.pending().reduce((sum, { state }) => sum + state.admitted - state.synced, 0);
  }

  /** Lets go of what has ended and is delivered, of counts whose hash has expired, and of idle definitions. */
  sweep(now: number): void {
    for (const [redisKey, booked] of this.#windows) {
      const delivered = !isPending(booked.state) && now >= booked.window.endsAt + ENDED_MS;
      if (delivered || now >= booked.expiresAt) this.#windows.delete(redisKey);
    }
    for (const [key, { definition, askedAt }] of this.#entries) {
      if (now - askedAt > Math.max(IDLE_MS, 2 * definition.windowMs)) this.#entries.delete(key);
    }
  }

  #open(definition: LimitDefinition, now: number, stored: Counts): BookedWindow {
    const window = windowAt(definition, now);
    const redisKey = windowKey(definition.key, window.id);
    const known = this.#windows.get(redisKey);
    if (known !== undefined) return known;
    const booked: BookedWindow = {
      key: definition.key,
      limit: definition.limit,
      windowMs: definition.windowMs,
      generation: definition.generation,
      window,
      redisKey,
      expiresAt: window.endsAt + WINDOW_GRACE_MS,
      state: openWindow(this.#node, stored),
    };
    this.#windows.set(redisKey, booked);
    return booked;
  }
}
