/** The control of a header that reports the quota: whether it is right for a caller that exhausts its limit. */
import { counted } from '../../../../api/index.ts';
import type { PodClient } from '../../http/pod-client.ts';
import { sumOf } from '../../words.ts';
import type { Callers } from '../callers.ts';
import { type QuotaAnswer, ReportedQuota } from './reported-quota.ts';

const REMEDY =
  'Correct rateLimiter.http.remainingHeader (a header that reports to each caller how many requests of limit.requests remain), or leave it out';

/** Reads the quota in the answers to one new caller. Its requests must be sent one after the other. */
export class QuotaControl {
  readonly #header: string;
  readonly #quota: ReportedQuota;
  #answers = 0;
  #furthest = 0;
  #last: QuotaAnswer | undefined;
  /** Of the first request that was admitted without a quota in the answer. */
  #problem: string | undefined;

  /** @param limit requests that the limit admits at once */
  constructor(header: string, limit: number, pods: readonly string[]) {
    this.#header = header;
    this.#quota = new ReportedQuota(header, limit, pods);
  }

  /** Wraps these clients and reads their answers. */
  around(
    clients: readonly Pick<PodClient, 'pod' | 'send'>[],
    callers: Pick<Callers, 'read'>,
  ): Pick<PodClient, 'pod' | 'send'>[] {
    return clients.map((client) => ({
      pod: client.pod,
      send: async (...args: Parameters<PodClient['send']>) => {
        const before = sumOf(this.#quota.admitted.values());
        let usage: QuotaAnswer | undefined;
        const end = this.#quota.listen(client.pod.name, callers, 0, (reported) => {
          usage = reported;
        });
        const result = await client.send(...args);
        end(result);
        if (sumOf(this.#quota.admitted.values()) === before) return result;
        if (!usage) this.#problem ??= `one caller was admitted, and ${this.#quota.problem}`;
        this.#answers += 1;
        this.#furthest = Math.max(this.#furthest, usage?.behind ?? 0);
        this.#last = usage;
        return result;
      },
    }));
  }

  /**
   * What was reported, once the caller has exhausted its limit.
   * @throws Error if that is not the quota, with the values and the field to correct
   */
  conclude(): string {
    const problem = this.#problem ?? this.#unchanged();
    if (problem !== undefined)
      throw new Error(`without any fault ${this.#header} does not report the quota: ${problem}. ${REMEDY}`);
    return `${this.#header} reported the quota with each of ${counted(this.#answers, 'answer')}, at most ${this.#furthest} behind`;
  }

  /** A figure that does not change with the requests is not the quota. Some pods share their counts at intervals. */
  #unchanged(): string | undefined {
    const { admitted, behind = 0, pod, used } = this.#last ?? {};
    const before = sumOf(admitted?.values() ?? []);
    if (behind <= before / 2) return undefined;
    return `one caller had been admitted ${counted(before, 'time')}, and then ${pod} reported only ${used} used`;
  }
}
