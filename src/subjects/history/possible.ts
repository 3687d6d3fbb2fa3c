/**
 * Refuses a history from a file that no run records: a line that was changed, doubled or moved often shows by itself,
 * without the digest in the status of the run.
 */
import type { HistoryEvent } from './events.ts';
import type { Setup } from './setup.ts';

/**
 * An event may become known this much after a later one, in milliseconds: the answers to requests that a process sent
 * are recorded within seconds even if it stands still.
 */
const LATE_MS = 60_000;

/** Of each of these a history has one. */
const ONCE: ReadonlySet<string> = new Set(['Planned', 'traffic-ended', 'return', 'ended']);

export class Possible {
  readonly #pods: ReadonlySet<string>;
  readonly #seen = new Set<string>();
  /** The latest time of an event so far; milliseconds since the epoch. */
  #latest = 0;

  constructor({ pods }: Pick<Setup, 'pods'>) {
    this.#pods = new Set(pods);
  }

  /** @throws RangeError for an event that no run records after those before it */
  take(event: HistoryEvent): void {
    const what = event.kind === 'fault' ? event.step : event.kind;
    if (ONCE.has(what) && this.#seen.has(what)) throw new RangeError(`there is a second "${what}"`);
    this.#seen.add(what);
    if (event.kind === 'fault') return;
    if (event.kind === 'request') {
      if (event.endedAt < event.sentAt) throw new RangeError('endedAt is before sentAt');
      if (!this.#pods.has(event.pod)) throw new RangeError(`its pod is none of the setup: ${event.pod}`);
    }
    const at = 'endedAt' in event ? event.endedAt : 'at' in event ? event.at : this.#latest;
    const early = Math.round(this.#latest - at);
    if (early > LATE_MS) throw new RangeError(`its time is ${early} ms before that of an earlier line`);
    this.#latest = Math.max(this.#latest, at);
  }
}
