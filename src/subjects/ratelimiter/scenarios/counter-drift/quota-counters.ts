/**
 * Counters of a limiter behind HTTP of which nobody can read what Redis holds: the sender's own count of what was
 * admitted, and what the answers to its traffic tell to be used. Nothing else is asked.
 */
import { counted } from '../../../../api/index.ts';
import type { FaultReport, Prepared } from '../../../../demo/observed.ts';
import type { CounterSample } from '../../history/counter-sample.ts';
import type { Asked } from '../../http/node-client.ts';
import { type QuotaAnswer, ReportedQuota } from '../../interfaces/http/reported-quota.ts';
import type { Toolkit } from '../../tools.ts';
import { sumOf } from '../../words.ts';
import type { Settled } from '../workload.ts';
import { CallerWindow } from './caller-window.ts';
import type { Counters } from './counters.ts';

export class QuotaCounters implements Counters {
  readonly source = 'Quota';
  readonly #toolkit: Pick<Toolkit, 'podClients' | 'callers' | 'limiter' | 'now'>;
  readonly #caller: CallerWindow;
  readonly #count: ReportedQuota;
  /** Of the answers since the last look, the one that was furthest behind. */
  #furthest: QuotaAnswer | undefined;

  /**
   * @param header of the answers, that tells what remains
   * @param storyMs what has to fit into one window; milliseconds
   */
  constructor(
    toolkit: Pick<Toolkit, 'podClients' | 'callers' | 'limiter' | 'now'>,
    header: string,
    storyMs: number,
  ) {
    this.#toolkit = toolkit;
    this.#caller = new CallerWindow(toolkit, storyMs);
    const names = toolkit.podClients.map(({ node }) => node.name);
    this.#count = new ReportedQuota(header, toolkit.limiter.limit.requests, names);
  }

  async prepare(key: string, signal: AbortSignal): Promise<Omit<Prepared, 'sequence'>> {
    return await this.#caller.open(key, signal);
  }

  /** Nobody can look without asking. Where others have used the key, answers tell more than was sent, and count for nothing. */
  async usedBefore(): Promise<FaultReport | undefined> {
    return undefined;
  }

  sending(pod: string): (asked: Asked) => void {
    const { callers, now } = this.#toolkit;
    this.#caller.sending();
    return this.#count.listen(pod, callers, now(), (answer) => {
      if (this.#furthest === undefined || answer.behind > this.#furthest.behind) this.#furthest = answer;
    });
  }

  /** Takes in what the answers reported since the sample before. */
  async look(): Promise<CounterSample> {
    const at = this.#toolkit.now();
    const quota = this.#furthest;
    this.#furthest = undefined;
    const nothing = { readAt: at, endedAt: at, admitted: new Map(), stored: undefined, elsewhere: [] };
    if (this.#caller.isOver(at)) {
      const elsewhere = this.#toolkit.podClients.map(({ node }) => node.name);
      return { ...nothing, elsewhere, problems: [] };
    }
    if (quota) {
      const { admitted, endedAt, node, sentAt, used } = quota;
      return {
        readAt: sentAt,
        endedAt,
        admitted,
        stored: used,
        reportedBy: node,
        elsewhere: [],
        problems: [],
      };
    }
    const { admitted, open, problem, unreported } = this.#count;
    // Of nothing that was admitted nothing is missing.
    if (sumOf(admitted.values()) === 0) {
      return { ...nothing, admitted: new Map(admitted), stored: 0, problems: [] };
    }
    if (unreported === 0) return { ...nothing, idle: true, problems: [] };
    const why = problem ?? 'nothing was answered after that';
    const missing = `whether ${counted(unreported, 'request')} that ${unreported === 1 ? 'was' : 'were'} admitted ${unreported === 1 ? 'was' : 'were'} counted is unknown: ${why}`;
    return { ...nothing, idle: open === 0, problems: [missing] };
  }

  async settle(): Promise<Settled> {
    return {
      message:
        'lost counts are unknown: only answers report the quota, and none is requested after the fault',
    };
  }
}
