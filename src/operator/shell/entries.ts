/**
 * State of objects between reconciles: our version if it is newer than the cache, and the session of an object with
 * work in progress. Idle objects, most of them, have no state.
 */

import { within } from '@chaosdemo/kube-runtime';
import type { ChaosDemo } from '../../api/index.ts';
import { isRunActive } from '../../engine/fault-times.ts';
import type { ConnectedSubject } from './ports.ts';
import { Session, type SessionOptions } from './session.ts';

/** How long the end of a fault may take when an object is deleted. */
const RELEASE_TIMEOUT_MS = 15_000;

export interface Entry {
  readonly key: string;
  readonly uid: string;
  /** A version that we wrote or fetched, as long as it is newer than the cache. */
  latest?: ChaosDemo;
  session?: Session;
  /** Since when no status of it could be stored; milliseconds by the monotonic clock. */
  rejectedSince?: number;
}

export interface EntriesOptions extends Omit<SessionOptions, 'demo' | 'onChange' | 'onLost' | 'subject'> {
  /** Called whenever a session has a finding that may change the decision. */
  readonly onChange: (key: string) => void;
  /** Called for an object that is deleted while it has a session. */
  readonly onDeleted: (demo: ChaosDemo) => void;
  /** Called when a session has ended: another may begin. */
  readonly onEnded: (key: string) => void;
}

export class Entries {
  readonly #options: EntriesOptions;
  readonly #entries = new Map<string, Entry>();
  /** Sessions that are ending, by the key of their object. */
  readonly #endings = new Map<string, Promise<void>>();
  /** Aborts releases when no time is left for them. */
  readonly #releasing = new AbortController();
  /** Whether locks are kept: they may belong to the process that leads now. */
  #keepsLocks = false;

  constructor(options: EntriesOptions) {
    this.#options = options;
  }

  /** Objects with state. */
  get size(): number {
    return this.#entries.size;
  }

  /** Objects whose subject is open. */
  get open(): number {
    return [...this.#entries.values()].filter(({ session }) => session?.isOpen).length;
  }

  /** Whether no subject is open, and no session is ending. */
  get isIdle(): boolean {
    return this.#endings.size === 0 && this.open === 0;
  }

  /** The entry of a key for the object in the cache; that of an earlier object of the name begins to end. */
  of(key: string, cached: ChaosDemo | undefined): Entry | undefined {
    const known = this.#entries.get(key);
    if (known && known.uid !== cached?.metadata.uid) {
      this.#entries.delete(key);
      this.leave(known);
    }
    if (!cached) return undefined;
    const entry = this.#entries.get(key) ?? { key, uid: cached.metadata.uid };
    this.#entries.set(key, entry);
    return entry;
  }

  /** Whether a session of this key is still ending. Another would have the same lock, so it must not begin. */
  isEnding(key: string): boolean {
    return this.#endings.has(key);
  }

  /** The newest known version; ours is dropped once the cache has caught up. */
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

  /** The session of an object, created if missing. */
  session(entry: Entry, demo: ChaosDemo, subject: ConnectedSubject): Session {
    const onChange = (): void => this.#options.onChange(entry.key);
    // Its run goes on in another session, as after a restart: the lock stays ours.
    const onLost = (): void => this.#end(entry, undefined, true);
    entry.session ??= new Session({ ...this.#options, demo, subject, onChange, onLost });
    return entry.session;
  }

  /** Forgets an object without state. */
  removeIfIdle(entry: Entry): void {
    const { key, latest, session } = entry;
    if (session || latest || this.#entries.get(key) !== entry) return;
    this.#entries.delete(entry.key);
  }

  /** Begins to close the session of a deleted object, undoing an unfinished run. */
  leave(entry: Entry): void {
    if (entry.session) this.#options.onDeleted(entry.session.demo);
    this.undo(entry);
  }

  /**
   * Begins to close the session, without waiting: the duration depends on the systems that the session is connected to.
   * What an active run has created is undone before.
   */
  undo(entry: Entry): void {
    this.#end(entry, async (session) => {
      if (!isRunActive(session.demo.status)) return;
      const release = async (stop: AbortSignal): Promise<void> => await session.release(stop);
      await within(this.#options.clock, RELEASE_TIMEOUT_MS, release, this.#releasing.signal);
    });
  }

  /**
   * Closes every session; `release` ends our faults first, as in a shutdown of a leader. A process that no longer leads
   * lets them run to their own end.
   */
  async closeAll({ release, deadlineMs }: { release: boolean; deadlineMs: number }): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#keepsLocks = !release;
    if (!release) this.#releasing.abort(new Error('this process leads no more'));
    await within(this.#options.clock, deadlineMs, async (signal) => {
      signal.addEventListener('abort', () => this.#releasing.abort(signal.reason), { once: true });
      await Promise.all([
        ...this.#endings.values(),
        ...entries.map(async ({ session }) => {
          const { scenarios = [] } = session?.demo.status ?? {};
          const mayBeActive = scenarios.some(({ fault }) => fault && !fault.endedAt);
          if (release && mayBeActive) await session?.release(signal);
          await session?.close(!release);
        }),
      ]);
    });
  }

  #end(entry: Entry, before?: (session: Session) => Promise<void>, keepLock = false): void {
    const { key, session } = entry;
    if (!session) return;
    delete entry.session;
    const end = async (): Promise<void> => {
      try {
        if (before) await before(session);
        await session.close(keepLock || this.#keepsLocks || !this.#options.hasLead());
      } catch (error) {
        this.#options.logger.error(
          { err: error, key },
          'a session did not end as it should; it is left to itself',
        );
      }
      this.#endings.delete(key);
      this.#options.onEnded(key);
    };
    this.#endings.set(key, end());
  }
}

/** Resource versions compare as integers (Kubernetes guarantees it since 1.35, KEP-5504; etcd always did). */
function isNewer(ours: ChaosDemo, cached: ChaosDemo): boolean {
  return BigInt(ours.metadata.resourceVersion) > BigInt(cached.metadata.resourceVersion);
}
