/**
 * The counts of the one caller of counter drift. Either counters can be read: admissions as reported by pods or the
 * sender, and the count in Redis. Or only answers report the quota: then the sender's own count is compared with that.
 */
import { counted, parseDuration } from '../../../../api/index.ts';
import type { FaultReport, Prepared } from '../../../../demo/observed.ts';
import { pauseFor } from '../../../waiting.ts';
import {
  type AdmittedByPod,
  type CounterSample,
  type CountSource,
  missingIn,
  totalAdmitted,
} from '../../history/counter-sample.ts';
import type { RequestResult } from '../../http/pod-client.ts';
import { SAMPLE_EVERY_MS } from '../../interfaces/counter-watch.ts';
import { countsOf } from '../../interfaces/counts.ts';
import { limitOf } from '../../interfaces/http/limit-of-spec.ts';
import { type QuotaAnswer, ReportedQuota } from '../../interfaces/http/reported-quota.ts';
import { untilItFits, windowEnd } from '../../limits/window-turn.ts';
import type { Toolkit } from '../../tools.ts';
import { sumOf } from '../../words.ts';
import { countsBefore, usedBefore } from '../used-before.ts';
import type { Settled } from '../workload.ts';
import { sourceOf } from './parameters.ts';

/** How long a new caller can be used if the limit has no windows by the clock; milliseconds. */
const USABLE_MS = 600_000;

/** The state of the fault when its effects are about to be read. */
export interface DriftSeen {
  readonly key: string;
  readonly drifted: boolean;
  /** The most admissions that were observed. */
  readonly admitted: AdmittedByPod;
  readonly settleMs: number;
}

type Parts = Pick<Toolkit, 'callers' | 'limiter' | 'now' | 'podClients' | 'redis' | 'reference'>;

export class CallerCounts {
  readonly source: CountSource;
  readonly #toolkit: Parts;
  readonly #storyMs: number;
  readonly #quota: ReportedQuota | undefined;
  /** The answer since the last sample whose count was furthest behind. */
  #furthest: QuotaAnswer | undefined;
  /** When the first request of the key was sent: its window begins no earlier. */
  #firstSentAt: number | undefined;
  /** When its window by the clock ends; undefined: it has none. */
  #clockEnd: number | undefined;

  /** @param storyMs the time that has to fit into one window; milliseconds */
  constructor(toolkit: Parts, storyMs: number) {
    const { limiter } = toolkit;
    const header = limiter.http?.remainingHeader;
    this.#toolkit = toolkit;
    this.#storyMs = storyMs;
    this.source = sourceOf(limiter);
    if (this.source === 'Quota' && header !== undefined) {
      this.#quota = new ReportedQuota(header, limiter.limit.requests, this.#pods);
    }
  }

  get #pods(): string[] {
    return this.#toolkit.podClients.map(({ pod }) => pod.name);
  }

  /**
   * Prepares a key: the caller is new to the limiter until the fault.
   * @throws an error whose message states what to do
   */
  async prepare(key: string, signal: AbortSignal): Promise<Omit<Prepared, 'sequence'>> {
    const { limiter, now, reference } = this.#toolkit;
    if (reference) return await reference.prepare([key], signal);
    const limit = limitOf(limiter);
    await untilItFits(limit, this.#storyMs, now, signal);
    this.#clockEnd = windowEnd(limit, now());
    const usableUntil = Math.floor(this.#clockEnd ?? now() + USABLE_MS);
    const { stored } = this.#quota ? { stored: 0 } : await countsBefore(this.#toolkit, key, signal);
    if (stored !== 0)
      throw new Error(`Redis counts ${stored} for ${key}, which has not been used: see redis.count`);
    return { fixture: key, usableUntil, message: `A caller that the rate limiter has never seen: ${key}` };
  }

  /**
   * Why nothing may be injected: the key has been used. A reported quota cannot be read without a request; if other
   * clients used the key, answers report more than was sent, and are ignored.
   * @throws if this cannot be determined
   */
  async usedBefore(key: string, signal: AbortSignal): Promise<FaultReport | undefined> {
    return this.#quota ? undefined : await usedBefore(this.#toolkit, key, signal);
  }

  /** Call before a request to this pod is sent; pass its result to the returned function. */
  sending(pod: string): ((result: RequestResult) => void) | undefined {
    const { callers, now } = this.#toolkit;
    this.#firstSentAt ??= now();
    return this.#quota?.listen(pod, callers, now(), (answer) => {
      if (this.#furthest === undefined || answer.behind > this.#furthest.behind) this.#furthest = answer;
    });
  }

  /**
   * Reads admissions first, and counts after that, so the difference can only be too small.
   * @param admitted the sender's own count
   * @throws only the reason of `signal`
   */
  async sample(key: string, admitted: () => AdmittedByPod, signal: AbortSignal): Promise<CounterSample> {
    if (this.#quota) return this.#quotaSample(this.#quota);
    const sample = await countsOf(this.#toolkit).sample(key, admitted, signal);
    // The pods themselves report the end of a window.
    if (this.source === 'Nodes' || !this.#isOver(sample.endedAt)) return sample;
    return { ...sample, stored: undefined, elsewhere: this.#pods };
  }

  /** What the answers reported since the previous sample. */
  #quotaSample({ admitted, open, problem, unreported }: ReportedQuota): CounterSample {
    const at = this.#toolkit.now();
    const furthest = this.#furthest;
    this.#furthest = undefined;
    const common = { readAt: at, endedAt: at, stored: undefined, elsewhere: [], problems: [] };
    const nothing = { ...common, admitted: new Map() };
    if (this.#isOver(at)) return { ...nothing, elsewhere: this.#pods };
    if (furthest) {
      const { admitted: before, endedAt, pod, sentAt, used } = furthest;
      return { ...common, readAt: sentAt, endedAt, admitted: before, stored: used, reportedBy: pod };
    }
    // Without admissions, no count can be missing.
    if (sumOf(admitted.values()) === 0) return { ...common, admitted: new Map(admitted), stored: 0 };
    if (unreported === 0) return { ...nothing, idle: true };
    const missing = `whether the limiter counted ${counted(unreported, 'admitted request')} is unknown: ${problem ?? 'nothing was answered after that'}`;
    return { ...nothing, idle: open === 0, problems: [missing] };
  }

  /** Whether the caller's window, and with it its count, may have ended by then. */
  #isOver(at: number): boolean {
    if (this.#clockEnd !== undefined && at >= this.#clockEnd) return true;
    const windowMs = parseDuration(this.#toolkit.limiter.limit.window);
    return this.#firstSentAt !== undefined && at >= this.#firstSentAt + windowMs;
  }

  /** The remaining effects of the fault, once Redis accepted a write. @throws only the reason of `signal` */
  async settle(
    { admitted: byPod, drifted, key, settleMs }: DriftSeen,
    signal: AbortSignal,
  ): Promise<Settled> {
    if (this.#quota) {
      const message =
        'lost counts are unknown: only answers report the quota, and none is requested after the fault';
      return { message };
    }
    const admitted = sumOf(byPod.values());
    const isExact = this.source === 'Nodes';
    const deadline = performance.now() + settleMs;
    for (;;) {
      const sample = await this.sample(key, () => byPod, signal);
      const { endedAt, stored = 0 } = sample;
      const missing = missingIn(sample, isExact ? this.#pods.length : 0);
      const late = performance.now() >= deadline;
      const isSettled = missing === undefined && stored >= totalAdmitted(sample);
      if (isSettled || (late && missing === undefined)) {
        const total = `Redis holds ${counted(stored, 'count')} for the ${counted(admitted, 'request')} that were admitted`;
        const more =
          !isExact && stored > admitted ? '. It counts others, too, so some may be lost all the same' : '';
        return {
          // With counts of other clients it is unknown when all admissions were counted again.
          ...(isSettled && drifted && (isExact || stored === admitted) && { restedAt: endedAt }),
          stored,
          message: [`${total}${more}`, ...forgotten(byPod, sample)].join('; '),
        };
      }
      if (late) {
        return { message: `the count could not be read at the end, so lost counts are unknown: ${missing}` };
      }
      await pauseFor(SAMPLE_EVERY_MS, signal);
    }
  }
}

/** Pods that report fewer admissions than before: they have forgotten some, or never counted them. */
function forgotten(before: AdmittedByPod, { admitted }: CounterSample): string[] {
  return [...before].flatMap(([pod, count]) => {
    const now = admitted.get(pod) ?? 0;
    return now < count ? [`${pod} had admitted ${count} and counts ${now} now`] : [];
  });
}
