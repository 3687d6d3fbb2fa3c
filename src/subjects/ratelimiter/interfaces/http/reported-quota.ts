/**
 * What the answers to one caller tell of its count, held against what its sender knows. Pure.
 *
 * An answer that tells what remains tells how much of the limit is used, as the node sees it that gave it. Before it
 * sent that request, the sender had got so many yeses: each was counted by then, if the nodes count together. So what
 * is missing of them can only come out too small: more may be on their way, or counted since.
 */
import { counted } from '../../../../api/index.ts';
import type { HttpAnswer } from '../../http/answer.ts';
import type { Asked } from '../../http/node-client.ts';
import { sumOf } from '../../words.ts';
import { gotOf } from '../caller-request.ts';
import type { Callers, Decision } from '../callers.ts';
import { remainingIn } from './remaining-field.ts';

/** One answer, held against what was known when its request was sent. */
export interface QuotaAnswer {
  readonly node: string;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly endedAt: number;
  /** Yeses that had arrived before its request was sent, by node. */
  readonly admitted: ReadonlyMap<string, number>;
  /** What it told to be used by other requests than its own. */
  readonly used: number;
  /** How many of those yeses are missing in that; never below 0. */
  readonly behind: number;
}

/** A request on its way. */
export interface AskedCaller {
  /** Its answer has come. @returns what that tells; undefined: nothing that could be held against anything */
  answered(said: Decision, answer: Pick<HttpAnswer, 'headers'>, at: number): QuotaAnswer | undefined;
  /** It is over without an answer that says yes or no. */
  over(): void;
}

export class ReportedQuota {
  readonly #header: string;
  readonly #limit: number;
  readonly #admitted: Map<string, number>;
  #sent = 0;
  #open = 0;
  #covered = 0;
  #problem: string | undefined;

  /**
   * @param header that tells what remains
   * @param limit of the caller: nothing beyond it is believed
   */
  constructor(header: string, limit: number, nodes: readonly string[]) {
    this.#header = header;
    this.#limit = limit;
    this.#admitted = new Map(nodes.map((node) => [node, 0]));
  }

  /** Yeses so far, by node. */
  get admitted(): ReadonlyMap<string, number> {
    return this.#admitted;
  }

  /** Requests that are on their way. */
  get open(): number {
    return this.#open;
  }

  /** Yeses that no answer was held against, nor came with one itself: whether they were counted is unknown. */
  get unreported(): number {
    return Math.max(0, sumOf(this.#admitted.values()) - this.#covered);
  }

  /** Why an answer told nothing: the first since one that did. Of what a node wrote it holds a number up to the limit at most. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** A request is being sent to this pod; `tell` hears what its answer reports, before what is returned does. */
  listen(
    pod: string,
    callers: Pick<Callers, 'read'>,
    sentAt: number,
    tell: (answer: QuotaAnswer) => void,
  ): (asked: Asked) => void {
    const caller = this.ask(pod, sentAt);
    return (asked) => {
      const outcome = gotOf(asked, callers)?.outcome;
      if (!asked.answer || (outcome !== 'Admitted' && outcome !== 'Rejected')) return caller.over();
      const told = caller.answered(outcome, asked.answer, asked.endedAt);
      if (told) tell(told);
    };
  }

  /** A request is being sent to this node. */
  ask(node: string, sentAt: number): AskedCaller {
    this.#sent += 1;
    this.#open += 1;
    const before = new Map(this.#admitted);
    let isOpen = true;
    const over = (): void => {
      if (isOpen) this.#open -= 1;
      isOpen = false;
    };
    return {
      over,
      answered: (said, { headers }, endedAt) => {
        over();
        const yeses = sumOf(before.values());
        const own = said === 'Admitted' ? 1 : 0;
        if (own > 0) this.#admitted.set(node, (this.#admitted.get(node) ?? 0) + 1);
        const read = this.#read(headers.get(this.#header.toLowerCase()), yeses + own);
        if (typeof read === 'string') {
          this.#problem ??= `${node} ${read}`;
          return undefined;
        }
        this.#covered = Math.max(this.#covered, yeses + own);
        this.#problem = undefined;
        // One that tells before it counts has counted less than nothing of the others.
        const used = Math.max(0, read - own);
        return { node, sentAt, endedAt, admitted: before, used, behind: Math.max(0, yeses - used) };
      },
    };
  }

  /** How much of the limit is used by that header, or why that is not told. @param known yeses that are known of by then */
  #read(value: string | undefined, known: number): number | string {
    const field = this.#header;
    if (value === undefined) return `answered without ${field}`;
    const remaining = remainingIn(value);
    if (remaining === undefined) return `answered with ${field} that holds no single whole number`;
    // A number beyond the limit is something else, and nobody's to know.
    if (remaining > this.#limit)
      return `reported by ${field} that more remain than the ${this.#limit} that the limit allows`;
    const used = this.#limit - remaining;
    if (used > this.#sent)
      return `reported by ${field} that ${remaining} remain of ${this.#limit}, and only ${counted(this.#sent, 'request')} had been sent`;
    // Nothing less can remain, however many more it has counted.
    if (remaining === 0 && known > this.#limit)
      return `reported by ${field} that 0 remain after ${known} were admitted, which does not say how many of them it knows`;
    return used;
  }
}
