/** Keys of accounts of a test environment, which stand for the callers of runs. They are secrets: nothing shows them. */

/** Takes a caller of a run, and returns the key of its account. @throws Error if no account is left */
export type AccountOf = (caller: string) => string;

export class CallerPool {
  readonly #now: () => number;
  /** When the key of an account was last sent, in milliseconds by `now`; undefined: not yet. */
  readonly #usedAt = new Map<string, number | undefined>();
  /** Keys of runs that have not ended. */
  readonly #taken = new Set<string>();

  /** @param now milliseconds by any clock that does not go back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Replaces the keys; those that stay are known to have been used. */
  hold(keys: readonly string[]): void {
    const held = new Set(keys);
    for (const key of this.#usedAt.keys()) if (!held.has(key)) this.#usedAt.delete(key);
    for (const key of held) if (!this.#usedAt.has(key)) this.#usedAt.set(key, undefined);
  }

  /** Each caller of the run gets one that nobody else has, and nobody has used for `restMs`. */
  forRun(restMs: number) {
    const own = new Map<string, string>();
    const accountOf: AccountOf = (caller) => {
      const key = own.get(caller) ?? this.rested(restMs)[0];
      if (key === undefined) {
        throw new Error(
          `each of the ${this.#usedAt.size} accounts of http.callers is taken, or was used within a window: add more of them, or wait`,
        );
      }
      own.set(caller, key);
      this.#taken.add(key);
      this.#usedAt.set(key, this.#now());
      return key;
    };
    /** Others may have them, once they have rested. */
    const end = (): void => {
      for (const key of own.values()) this.#taken.delete(key);
    };
    return { accountOf, end };
  }

  /** Keys that no run has and nobody has used for `restMs`; infinite: at all. */
  rested(restMs: number): string[] {
    const now = this.#now();
    return [...this.#usedAt].flatMap(([key, usedAt]) =>
      !this.#taken.has(key) && (usedAt === undefined || now - usedAt >= restMs) ? [key] : [],
    );
  }
}
