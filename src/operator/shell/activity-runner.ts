/** Keeps the wanted activities running, and stops the rest. */
import type { Activity } from '../../engine/effects.ts';

/** Runs one activity until `signal` is aborted. */
export type RunActivity = (activity: Activity, signal: AbortSignal) => Promise<void>;

export class ActivityRunner {
  readonly #runActivity: RunActivity;
  readonly #onFailure: (activity: Activity, error: unknown) => void;
  readonly #running = new Map<string, { stop: AbortController; done: Promise<void> }>();
  #closed = false;

  /** @param onFailure called when an activity ended by an error; it is started again when it is next wanted */
  constructor(runActivity: RunActivity, onFailure: (activity: Activity, error: unknown) => void) {
    this.#runActivity = runActivity;
    this.#onFailure = onFailure;
  }

  /** Starts the activities missing from `wanted` and stops those not in it. */
  converge(wanted: readonly Activity[]): void {
    const byKey = new Map(wanted.map((activity) => [keyOf(activity), activity]));
    for (const [key, { stop }] of this.#running) {
      if (!byKey.has(key)) stop.abort(new Error('not wanted any more'));
    }
    if (this.#closed) return;
    for (const [key, activity] of byKey) {
      const running = this.#running.get(key);
      if (running === undefined || running.stop.signal.aborted) this.#start(key, activity, running?.done);
    }
  }

  /** Stops everything and waits until it has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.converge([]);
    await Promise.all([...this.#running.values()].map(async ({ done }) => await done));
  }

  /** One of a kind at a time: a new one begins when the old one, after its abort, has ended. */
  #start(key: string, activity: Activity, previous: Promise<void> | undefined): void {
    const stop = new AbortController();
    const run = async (): Promise<void> => {
      await previous;
      try {
        if (!stop.signal.aborted) await this.#runActivity(activity, stop.signal);
      } catch (error) {
        if (!stop.signal.aborted) this.#onFailure(activity, error);
      } finally {
        if (this.#running.get(key) === entry) this.#running.delete(key);
      }
    };
    const entry = { stop, done: Promise.resolve() };
    this.#running.set(key, entry);
    entry.done = run();
  }
}

function keyOf(activity: Activity): string {
  return 'fault' in activity ? `${activity.kind} ${activity.fault}` : activity.kind;
}
