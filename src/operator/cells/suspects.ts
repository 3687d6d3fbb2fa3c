/**
 * Namespaces whose thread was ended. Which of those in it stopped it is not known, so each is suspected; one that was
 * in a second such thread waits, and longer each time.
 */

import type { Admission } from '../../engine/observed.ts';
import { iso } from '../../engine/time.ts';

/** The first wait and the longest, in milliseconds; it doubles. */
const [FIRST_MS, LONGEST_MS] = [30_000, 15 * 60_000];
/** A namespace that went on without it for this long is suspected no more. */
const FORGOTTEN_MS = 60 * 60_000;

interface Suspicion {
  readonly count: number;
  readonly at: number;
  readonly until: number;
  readonly why: string;
}

export class Suspects {
  readonly #all = new Map<string, Suspicion>();

  /** @param why it was ended: part of a message; `now` in milliseconds since the epoch */
  add(namespaces: Iterable<string>, why: string, now: number): void {
    for (const [name, { at }] of this.#all) if (now - at > FORGOTTEN_MS) this.#all.delete(name);
    for (const namespace of namespaces) {
      const count = (this.#all.get(namespace)?.count ?? 0) + 1;
      const waitMs = count === 1 ? 0 : Math.min(FIRST_MS * 2 ** (count - 2), LONGEST_MS);
      this.#all.set(namespace, { count, at: now, until: now + waitMs, why });
    }
  }

  /** Why a namespace gets no cell now; undefined: it gets one. `now` in milliseconds since the epoch. */
  waitOf(namespace: string, now: number): Extract<Admission, { state: 'waiting' }> | undefined {
    const found = this.#all.get(namespace);
    if (!found || now >= found.until) return undefined;
    const { count, until, why } = found;
    const message = `Threads of the operator that ran this namespace were ended ${count} times, the last because ${why}; its runs continue at ${iso(until)}`;
    return { state: 'waiting', reason: 'BackOff', message };
  }
}
