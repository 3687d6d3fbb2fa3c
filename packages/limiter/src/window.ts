/**
 * The windows of one pod: what it admitted, and what it knows of the others. Pure; times are milliseconds since the
 * epoch by the clock of Redis.
 *
 * A window begins with the first request of its key on any pod, and ends when Redis drops its counts. A pod that began
 * one while Redis was out of reach adopts the end that Redis has.
 */
import type { Limit, PodCount, StoredWindow } from './store.ts';

/** A key that was not used for this long is neither synced nor kept; milliseconds. */
const IDLE_MS = 5000;

/** One key on this pod. */
export interface PodWindow {
  readonly key: string;
  endsAt: number;
  /** Requests that this pod admitted. */
  admitted: number;
  /** The count of this pod that Redis is known to hold. */
  synced: number;
  /** The sum of the other pods' counts. It never falls: what was admitted stays admitted. */
  others: number;
  usedAt: number;
}

export class Windows {
  readonly #pod: string;
  readonly #limit: Limit;
  readonly #windows = new Map<string, PodWindow>();

  /** @param limit applies to every key */
  constructor(pod: string, limit: Limit) {
    this.#pod = pod;
    this.#limit = limit;
  }

  /** Whether this pod has used the key lately. */
  has(key: string): boolean {
    return this.#windows.has(key);
  }

  /** The window of a key that holds `now`; one that has ended, or has admitted nothing yet, begins now. */
  use(key: string, now: number): PodWindow {
    const known = this.#windows.get(key);
    if (known && now < known.endsAt && known.admitted + known.others > 0) {
      known.usedAt = now;
      return known;
    }
    const endsAt = now + this.#limit.windowMs;
    const window = { key, endsAt, admitted: 0, synced: 0, others: 0, usedAt: now };
    this.#windows.set(key, window);
    return window;
  }

  /** Decides one request by what this pod knows. */
  admit(key: string, now: number): { readonly allowed: boolean; readonly window: PodWindow } {
    const window = this.use(key, now);
    const allowed = this.remaining(window) > 0;
    if (allowed) window.admitted += 1;
    return { allowed, window };
  }

  /** Requests that a window still admits, as far as this pod knows. */
  remaining({ admitted, others }: PodWindow): number {
    return Math.max(0, this.#limit.limit - admitted - others);
  }

  /** Takes over what Redis holds of a key. */
  learn(key: string, stored: StoredWindow, now: number): void {
    const window = this.#windows.get(key) ?? this.use(key, now);
    if (stored.endsAt === undefined || stored.endsAt <= now) {
      // Redis has lost its counts, or never had any: this pod sends its own again.
      window.synced = 0;
      return;
    }
    const own = stored.counts.get(this.#pod) ?? 0;
    let others = -own;
    for (const count of stored.counts.values()) others += count;
    window.endsAt = stored.endsAt;
    window.synced = own;
    // A pod that was restarted in the window continues from its count in Redis.
    window.admitted = Math.max(window.admitted, own);
    window.others = Math.max(window.others, others);
  }

  /** Keys whose counts differ from those in Redis, or whose others may have changed; it drops those not used. */
  toSync(now: number): PodCount[] {
    for (const [key, window] of this.#windows) {
      const isOver = now >= window.endsAt || pendingIn(window) === 0;
      if (isOver && now > window.usedAt + IDLE_MS) this.#windows.delete(key);
    }
    return [...this.#windows.values()].filter(({ endsAt }) => now < endsAt);
  }

  /** Requests admitted here that Redis does not hold, in windows that have not ended. */
  pending(now: number): number {
    return [...this.#windows.values()].reduce(
      (sum, window) => (now < window.endsAt ? sum + pendingIn(window) : sum),
      0,
    );
  }
}

function pendingIn({ admitted, synced }: PodWindow): number {
  return Math.max(0, admitted - synced);
}
