/**
 * What is kept of objects between reconciles: a version of ours that is newer
 * than the cache, and the session of one that has something under way. Of an
 * object that is idle nothing is kept, and of most there is nothing to do.
 */
import type { ChaosDemo } from '../api/index.ts';
import { fixturesToRemove, runIsOn } from '../demo/context.ts';
import { within } from './deadline.ts';
import type { ConnectedSubject } from './ports.ts';
import { Session, type SessionOptions } from './session.ts';

/** How long the end of a fault and the removal of its fixtures may take when a run is cut off. */
export const RELEASE_WITHIN_MS = 15_000;

export interface Entry {
  readonly key: string;
  readonly uid: string;
  /** A version that we wrote or fetched, as long as it is newer than the cache. */
  latest?: ChaosDemo;
  session?: Session;
}

export interface EntriesOptions extends Pick<SessionOptions, 'clock' | 'leads' | 'logger'> {
  /** Called whenever a session saw something that may change what is to be done. */
  readonly onChange: (key: string) => void;
  /** Called of an object that goes while it had a session. */
  readonly onDeleted: (demo: ChaosDemo) => void;
}

export class Entries {
  readonly #options: EntriesOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: EntriesOptions) {
    this.#options = options;
  }

  /** Objects of which anything is kept. */
  get size(): number {
    return this.#entries.size;
  }

  /** Objects whose subject is open. */
  get open(): number {
    return [...this.#entries.values()].filter(({ session }) => session?.isOpen).length;
  }

  /** The entry of a key for the object that the cache has now; that of an earlier object of the name is ended first. */
  async of(key: string, cached: ChaosDemo | undefined): Promise<Entry | undefined> {
    const known = this.#entries.get(key);
    if (known && known.uid !== cached?.metadata.uid) {
      this.#entries.delete(key);
      await this.leave(known);
    }
    if (!cached) return undefined;
    const entry = this.#entries.get(key) ?? { key, uid: cached.metadata.uid };
    this.#entries.set(key, entry);
    return entry;
  }

  /** A version of the object that is newer than the cache, or was. */
  latest(key: string): ChaosDemo | undefined {
    return this.#entries.get(key)?.latest;
  }

  /** The newest version that is known; ours is dropped once the cache has caught up. */
  newest(entry: Entry, cached: ChaosDemo): ChaosDemo {
    const demo = entry.latest && isNewer(entry.latest, cached) ? entry.latest : cached;
    if (demo === cached) delete entry.latest;
    entry.session?.update(demo);
    return demo;
  }

  /** Keeps a version that we wrote or fetched. */
  keep(entry: Entry, demo: ChaosDemo): void {
    entry.latest = demo;
    entry.session?.update(demo);
  }

  /** The session of an object, made where there is none. */
  session(entry: Entry, demo: ChaosDemo, subject: ConnectedSubject): Session {
    const { clock, leads, logger, onChange } = this.#options;
    entry.session ??= new Session({
      clock,
      leads,
      logger,
      demo,
      subject,
      onChange: () => onChange(entry.key),
    });
    return entry.session;
  }

  /** Forgets an object of which nothing is left to keep. */
  tidy(entry: Entry): void {
    if (entry.session || entry.latest || this.#entries.get(entry.key) !== entry) return;
    this.#entries.delete(entry.key);
  }

  /** @param keepLock it may be that of a process that leads now */
  async close(entry: Entry, keepLock = false): Promise<void> {
    const { session } = entry;
    delete entry.session;
    await session?.close(keepLock);
  }

  /** Closes the session of an object that goes: what a run in its midst has made goes too. */
  async leave(entry: Entry): Promise<void> {
    if (entry.session) this.#options.onDeleted(entry.session.demo);
    await this.undo(entry);
  }

  /** Undoes what a run that is on has made, and closes the session. */
  async undo(entry: Entry): Promise<void> {
    const { session } = entry;
    if (!session) return;
    const { metadata, status } = session.demo;
    // Also where `decide` has released a fault: a fixture whose fault was never announced stands in no status.
    if (runIsOn(status)) {
      const fixtures = fixturesToRemove({ demo: metadata, draft: status ?? {} });
      await within(this.#options.clock, RELEASE_WITHIN_MS, (stop) => session.release(stop, fixtures));
    }
    await this.close(entry);
  }

  /**
   * Closes every session; `release` ends faults of ours first, as a shutdown of a
   * leader does. A process that leads no more leaves them to their own end.
   */
  async closeAll({ release, deadlineMs }: { release: boolean; deadlineMs: number }): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await within(this.#options.clock, deadlineMs, async (signal) => {
      await Promise.all(
        entries.map(async (entry) => {
          const { scenarios = [] } = entry.session?.demo.status ?? {};
          const mayBeOn = scenarios.some(({ fault }) => fault && !fault.endedAt);
          if (release && mayBeOn) await entry.session?.release(signal);
          await this.close(entry, !release);
        }),
      );
    });
  }
}

/**
 * Resource versions compare as whole numbers (Kubernetes guarantees it since
 * 1.35, KEP-5504; etcd always had it so).
 */
function isNewer(ours: ChaosDemo, cached: ChaosDemo): boolean {
  return BigInt(ours.metadata.resourceVersion) > BigInt(cached.metadata.resourceVersion);
}
