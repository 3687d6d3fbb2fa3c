/** The terms of this process, one after the other: at most one is active, and earlier ones may still be ending. */
import { Term, type TermOptions } from './term.ts';

export interface LeadershipOptions extends TermOptions {
  /** Called whenever this process begins or ends to lead. */
  readonly onChange: (leads: boolean) => void;
}

export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #ending = new Set<Promise<void>>();
  #term: Term | undefined;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /** The current term. */
  get term(): Term | undefined {
    return this.#term;
  }

  /** Begins a term. */
  begin(): void {
    this.#term = new Term(this.#options);
    this.#options.onChange(true);
  }

  /** Requests a reconcile of everything; does nothing if this process does not lead. */
  enqueueAll(): void {
    for (const key of this.#options.keys()) this.enqueue(key);
  }

  /** Requests a decision on an object; does nothing if this process does not lead. */
  enqueue(key: string): void {
    this.#term?.enqueue(key);
  }

  /** Ends the current term as {@link Term.end}, if there is one; resolves when all that have ended are done. */
  async end(how: Parameters<Term['end']>[0]): Promise<void> {
    const term = this.#term;
    this.#term = undefined;
    if (term) {
      this.#options.onChange(false);
      const ended = term.end(how);
      this.#ending.add(ended);
      void ended.finally(() => this.#ending.delete(ended));
    }
    await Promise.all(this.#ending);
  }
}
