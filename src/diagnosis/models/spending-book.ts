/**
 * What the profiles of this process have used up today, added to what is stored of it: by this process before it was
 * started anew, or by another that led. Only what was added here is ever written, on top of what is stored then, so
 * nobody's use is lost or counted twice. Each write has a name, by which it is known again where nobody said whether
 * it was done. Writing is beside the questions; what was added within seconds of a crash is forgotten.
 */
import { randomUUID } from 'node:crypto';
import { messageOf } from '../../api/index.ts';
import { added, dayOf, parseSpending, type Spending, type Spent, spendingText } from './spending.ts';

/** A text that outlives the process. Both throw where nobody answers. */
export interface SpendingStore {
  /** What is there now. */
  read(signal: AbortSignal): Promise<StoredText | UnusableStore>;
  /** Puts a text in the place of that version. Undefined: somebody else has written meanwhile. */
  write(text: string, version: string, signal: AbortSignal): Promise<StoredText | UnusableStore | undefined>;
}

/** A text, and what tells it from those that come after it. */
export interface StoredText {
  readonly text: string | undefined;
  readonly version: string;
}

/** There is no such text, or it may not be used, and a moment later neither. */
export interface UnusableStore {
  /** A sentence with what to do. */
  readonly unusable: string;
}

/** What the book needs of its surroundings. */
export interface BookOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Left out: all is forgotten with the process. */
  readonly store?: SpendingStore | undefined;
  /** Told where the store fails, once until it works again. */
  readonly onTrouble?: (message: string) => void;
}

/** Namespaces of which one profile keeps an account; what further ones use is kept in one account for all of them. */
export const MOST_ACCOUNTS = 256;
/** The account of further ones: not a name that a namespace can have. */
export const FURTHER = '*';
/** Between two writes, at least. */
export const WRITE_EVERY_MS = 3000;
/** For one reading, or one writing with what it takes to do it again. */
const STORE_MS = 5000;
/** How often a write is tried at once while others write. */
const TRIES = 3;

const NOTHING: Spending = new Map();

class UnusableError extends Error {
  override readonly name = 'UnusableError';
}

export class SpendingBook {
  readonly #options: BookOptions;
  readonly #stop = new AbortController();
  #day = '';
  #stored = NOTHING;
  #version: string | undefined;
  /** Added since what is stored; and what of it is being written, or may have been by the write of that name. */
  #unsaved = NOTHING;
  #writing = NOTHING;
  #write: string | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #isTroubled = false;

  constructor(options: BookOptions) {
    this.#options = options;
  }

  /** What a profile has used up today, under the names of accounts. */
  usedBy(profile: string): ReadonlyMap<string, Spent> {
    this.#turnPage();
    const all = added(added(this.#stored, this.#writing), this.#unsaved);
    return all.get(profile) ?? new Map();
  }

  /** The account of a namespace. */
  accountOf(profile: string, namespace: string): string {
    const used = this.usedBy(profile);
    return used.has(namespace) || used.size < MOST_ACCOUNTS ? namespace : FURTHER;
  }

  /** Adds to an account of today; less than nothing takes off. */
  add(profile: string, account: string, spent: Spent): void {
    this.#turnPage();
    this.#unsaved = added(this.#unsaved, new Map([[profile, new Map([[account, spent]])]]));
    this.#writeSoon();
  }

  /**
   * Looks what is stored now. Where the store cannot be used at all, this process goes on with what it knows.
   * @throws where nobody answered: then it is not known what is left
   */
  async refresh(signal: AbortSignal): Promise<void> {
    const { store } = this.#options;
    if (!store) return;
    try {
      await this.#inTurn(async (stop) => this.#take(await store.read(stop)), signal);
      this.#isTroubled = false;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UnusableError)) {
        throw new Error(`what was used today cannot be read: ${messageOf(error)}`, { cause: error });
      }
      this.#trouble(error.message);
    }
  }

  /** Writes what is not written yet, and ends; never rejects. */
  async close(): Promise<void> {
    await this.#save();
    this.#stop.abort(new Error('the operator stops'));
    clearTimeout(this.#timer);
  }

  #writeSoon(): void {
    if (!this.#options.store || this.#timer || this.#stop.signal.aborted) return;
    const wait = Math.max(0, this.#writtenAt + WRITE_EVERY_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#save();
    }, wait);
    this.#timer.unref();
  }

  async #save(): Promise<void> {
    const { store } = this.#options;
    if (!store) return;
    this.#writtenAt = performance.now();
    try {
      await this.#inTurn(async (signal) => await this.#writeTo(store, signal), this.#stop.signal);
    } catch (error) {
      this.#trouble(messageOf(error));
      // What may not be written is tried again with the next question.
      if (!(error instanceof UnusableError)) this.#writeSoon();
    }
  }

  async #writeTo(store: SpendingStore, signal: AbortSignal): Promise<void> {
    for (let i = 0; i < TRIES; i += 1) {
      // It may show that the last write was done: only then is there more to be written with what was not.
      this.#turnPage();
      if (this.#version === undefined) this.#take(await store.read(signal));
      this.#writing = added(this.#writing, this.#unsaved);
      this.#unsaved = NOTHING;
      if (this.#writing.size === 0) return;
      const [day, sum, version, write] = [
        this.#day,
        added(this.#stored, this.#writing),
        this.#version ?? '',
        randomUUID(),
      ];
      this.#version = undefined;
      this.#write = write;
      const written = await store.write(spendingText(sum, day, write), version, signal);
      if (!written) continue;
      this.#version = usable(written).version;
      this.#isTroubled = false;
      if (day === this.#day) this.#stored = sum;
      this.#writing = NOTHING;
      return;
    }
    throw new Error('what profiles have used is written by somebody else all the time');
  }

  /** One after the other, so that nothing is read in the midst of a write. */
  async #inTurn(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const turn = this.#last.then(() => work(AbortSignal.any([signal, AbortSignal.timeout(STORE_MS)])));
    this.#last = turn.catch(() => {});
    await turn;
  }

  #take(stored: StoredText | UnusableStore): void {
    this.#turnPage();
    const { text, version } = usable(stored);
    this.#version = version;
    try {
      const { spending, write } = parseSpending(text, this.#day);
      this.#stored = spending;
      if (write !== undefined && write === this.#write) this.#writing = NOTHING;
    } catch (error) {
      this.#stored = NOTHING;
      this.#trouble(`${messageOf(error)}: it is written anew`);
    }
  }

  /** What was used on a day that is over is forgotten with it. */
  #turnPage(): void {
    const day = dayOf(this.#options.now());
    if (day === this.#day) return;
    this.#day = day;
    this.#stored = NOTHING;
    this.#unsaved = NOTHING;
    this.#writing = NOTHING;
    // The clock may come back to a day of which something is stored.
    this.#version = undefined;
  }

  #trouble(message: string): void {
    if (this.#isTroubled) return;
    this.#isTroubled = true;
    this.#options.onTrouble?.(message);
  }
}

/** @throws {UnusableError} */
function usable(stored: StoredText | UnusableStore): StoredText {
  if ('unusable' in stored) throw new UnusableError(stored.unusable);
  return stored;
}
