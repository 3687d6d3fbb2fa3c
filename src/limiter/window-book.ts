/**
 * The definitions and windows that a node holds in memory. No input or output.
 *
 * A window stays until it has ended and Redis holds its count. An unused definition is dropped, so memory follows the
 * traffic.
 */
import { WINDOW_GRACE_MS, windowKey } from './store.ts';
import {
  type Counts,
  type FixedWindow,
  type LimitDefinition,
  type NodeWindow,
  openWindow,
  pendingIn,
  supersedes,
  windowAt,
} from './window.ts';

/** A definition is dropped if it was not used in two windows, and for this long. */
const IDLE_MS = 60_000;

/** An ended window is kept this much longer: the estimate of Redis's clock may step back a little. */
const ENDED_MS = 5_000;

/** One window of one key; `state` is replaced as knowledge grows. */
export interface BookedWindow {
  readonly definition: LimitDefinition;
  readonly window: FixedWindow;
  /** Hash in which Redis counts this window, and when that expires. */
  readonly redisKey: string;
  readonly expiresAt: number;
  state: NodeWindow;
}

export class WindowBook {
  readonly #node: string;
  readonly #definitions = new Map<string, { readonly definition: LimitDefinition; usedAt: number }>();
  readonly #windows = new Map<string, BookedWindow>();

  constructor(node: string) {
    this.#node = node;
  }

  definition(key: string): LimitDefinition | undefined {
    return this.#definitions.get(key)?.definition;
  }

  /** All definitions known. */
  definitions(): LimitDefinition[] {
    return [...this.#definitions.values()].map(({ definition }) => definition);
  }

  /** Adds a definition unless a later one is known, and opens its window at `now` with the counts in Redis. */
  install(definition: LimitDefinition, stored: Counts, now: number): void {
    const known = this.#definitions.get(definition.key);
    if (!supersedes(definition, known?.definition)) return;
    this.#definitions.set(definition.key, { definition, usedAt: known?.usedAt ?? now });
    this.open(definition, now, stored);
  }

  /** Drops a definition; its counts that Redis does not hold yet are still delivered. */
  forget(key: string): void {
    this.#definitions.delete(key);
  }

  /** The window of `key` that holds `now`, opened if it is new; undefined if the key is not known. */
  current(key: string, now: number): BookedWindow | undefined {
    const known = this.#definitions.get(key);
    if (known === undefined) return undefined;
    known.usedAt = now;
    // Windows after the first begin after this node's start, so Redis has no earlier counts of it.
    return this.open(known.definition, now);
  }

  /** The window of a definition at `now`, if it is open; does not count as use. */
  peek(definition: LimitDefinition, now: number): BookedWindow | undefined {
    return this.#windows.get(windowKey(definition.key, windowAt(definition, now).id));
  }

  /** Windows with counts that Redis does not hold, ended ones too. */
  pending(): BookedWindow[] {
    return [...this.#windows.values()].filter(({ state }) => pendingIn(state) > 0);
  }

  /** Requests admitted here that Redis does not hold, over all windows. */
  pendingCount(): number {
    return this.pending().reduce((sum, { state }) => sum + pendingIn(state), 0);
  }

  /** Drops windows that are over and delivered, counts whose hash has expired, and unused definitions. */
  sweep(now: number): void {
    for (const [redisKey, { expiresAt, state, window }] of this.#windows) {
      const isDelivered = pendingIn(state) === 0 && now >= window.endsAt + ENDED_MS;
      if (isDelivered || now >= expiresAt) this.#windows.delete(redisKey);
    }
    for (const [key, { definition, usedAt }] of this.#definitions) {
      if (now - usedAt > Math.max(IDLE_MS, 2 * definition.windowMs)) this.#definitions.delete(key);
    }
  }

  /** The window of `definition` at `now`; a new one starts with the counts in Redis. */
  open(definition: LimitDefinition, now: number, stored: Counts = new Map()): BookedWindow {
    const window = windowAt(definition, now);
    const redisKey = windowKey(definition.key, window.id);
    const known = this.#windows.get(redisKey);
    if (known !== undefined) return known;
    const booked: BookedWindow = {
      definition,
      window,
      redisKey,
      expiresAt: window.endsAt + WINDOW_GRACE_MS,
      state: openWindow(this.#node, stored),
    };
    this.#windows.set(redisKey, booked);
    return booked;
  }
}
