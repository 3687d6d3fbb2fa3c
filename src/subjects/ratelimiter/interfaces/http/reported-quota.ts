/**
 * The usage that the answers to one caller report, compared with what its sender knows. Pure. The remaining quota in an
 * answer shows how much of the limit is used, from the pod's view. Admissions that arrived before its request was sent
 * were counted by then, if the pods share their counts. So the missing count can only be too small: more may be in
 * flight, or counted since.
 */
import { counted } from '../../../../api/index.ts';
import type { HttpAnswer } from '../../http/answer.ts';
import type { RequestResult } from '../../http/pod-client.ts';
import { sumOf } from '../../words.ts';
import { outcomeOf } from '../caller-request.ts';
import type { Callers, Decision } from '../callers.ts';
import { remainingIn } from './rate-limit-field.ts';

/** One answer, compared with what was known when its request was sent. */
export interface QuotaAnswer {
  readonly pod: string;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly endedAt: number;
  /** Admissions that had arrived before its request was sent, by pod. */
  readonly admitted: ReadonlyMap<string, number>;
  /** Usage that it reports of requests other than its own. */
  readonly used: number;
  /** How many of those admissions are missing in that; at least 0. */
  readonly behind: number;
}

/**
 * Takes the end of a request; left out: it was neither admitted nor rejected.
 * @returns undefined if it reports no usage
 */
export type EndOfRequest = (
  end?: Pick<HttpAnswer, 'headers'> & { readonly decision: Decision; readonly at: number },
) => QuotaAnswer | undefined;

export class ReportedQuota {
  readonly #header: string;
  readonly #limit: number;
  readonly #admitted: Map<string, number>;
  #sent = 0;
  #open = 0;
  #covered = 0;
  #problem: string | undefined;

  /**
   * @param header that reports the remaining quota
   * @param limit of the caller: no quota above it is accepted
   */
  constructor(header: string, limit: number, pods: readonly string[]) {
    this.#header = header;
    this.#limit = limit;
    this.#admitted = new Map(pods.map((pod) => [pod, 0]));
  }

  /** Admissions so far, by pod. */
  get admitted(): ReadonlyMap<string, number> {
    return this.#admitted;
  }

  /** Requests that are in flight. */
  get open(): number {
    return this.#open;
  }

  /** Admissions that no report covers: whether they were counted is unknown. */
  get unreported(): number {
    return Math.max(0, sumOf(this.#admitted.values()) - this.#covered);
  }

  /** Why an answer reported no usage: the first since one that did. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Call before a request to this pod is sent; `report` gets the usage that its answer reports. */
  listen(
    pod: string,
    callers: Pick<Callers, 'read'>,
    sentAt: number,
    report: (answer: QuotaAnswer) => void,
  ): (result: RequestResult) => void {
    const end = this.sent(pod, sentAt);
    return (result) => {
      const decision = outcomeOf(result, callers)?.outcome;
      const isDecided = decision === 'Admitted' || decision === 'Rejected';
      const { answer, endedAt: at } = result;
      const usage = end(answer && isDecided ? { decision, headers: answer.headers, at } : undefined);
      if (usage) report(usage);
    };
  }

  /** Call before a request to this pod is sent. Call the returned function once, when it ends. */
  sent(pod: string, sentAt: number): EndOfRequest {
    this.#sent += 1;
    this.#open += 1;
    const before = new Map(this.#admitted);
    return (end) => {
      this.#open -= 1;
      if (!end) return undefined;
      const known = sumOf(before.values());
      const own = end.decision === 'Admitted' ? 1 : 0;
      if (own > 0) this.#admitted.set(pod, (this.#admitted.get(pod) ?? 0) + 1);
      const read = this.#read(end.headers.get(this.#header.toLowerCase()), known + own);
      if (typeof read === 'string') {
        this.#problem ??= `${pod} ${read}`;
        return undefined;
      }
      this.#covered = Math.max(this.#covered, known + own);
      this.#problem = undefined;
      // A limiter may report before it counts the request itself.
      const used = Math.max(0, read - own);
      return { pod, sentAt, endedAt: end.at, admitted: before, used, behind: Math.max(0, known - used) };
    };
  }

  /** The used part of the limit by that header, or why it is unknown. @param known admissions by then */
  #read(value: string | undefined, known: number): number | string {
    const field = this.#header;
    if (value === undefined) return `answered without ${field}`;
    const remaining = remainingIn(value);
    if (remaining === undefined) return `answered with ${field} that holds no single whole number`;
    // A number above the limit is something else.
    if (remaining > this.#limit)
      return `reported by ${field} that more remain than the ${this.#limit} that the limit allows`;
    const used = this.#limit - remaining;
    if (used > this.#sent)
      return `reported by ${field} that ${remaining} remain of ${this.#limit}, and only ${counted(this.#sent, 'request')} had been sent`;
    // Fewer than 0 cannot be reported.
    if (remaining === 0 && known > this.#limit)
      return `reported by ${field} that 0 remain after ${known} were admitted, which does not show how many of them it knows`;
    return used;
  }
}
