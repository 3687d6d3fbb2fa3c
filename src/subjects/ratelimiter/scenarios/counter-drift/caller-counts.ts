/** The counts of the one caller of counter drift: admissions by the sender's own count, and the count in Redis. */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { counted, parseDuration } from '../../../../api/index.ts';
import type { FaultReport, Prepared } from '../../../../engine/observed.ts';
import {
  type AdmittedByPod,
  type CounterSample,
  missingIn,
  totalAdmitted,
} from '../../history/counter-sample.ts';
import { sumOf } from '../../history/counts.ts';
import { SAMPLE_EVERY_MS } from '../../interfaces/counter-watch.ts';
import { sampleCounts } from '../../interfaces/counts.ts';
import { untilItFits, windowEnd } from '../../limits/window-turn.ts';
import { limitOf } from '../../spec/limit-of-spec.ts';
import type { Toolkit } from '../../tools.ts';
import { countsBefore, usedBefore } from '../used-before.ts';
import type { Settled } from '../workload.ts';

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

type Parts = Pick<Toolkit, 'callers' | 'limiter' | 'now' | 'podClients' | 'redis'>;

export class CallerCounts {
  readonly #toolkit: Parts;
  readonly #storyMs: number;
  /** When the first request of the key was sent: its window begins no earlier. */
  #firstSentAt: number | undefined;
  /** When its window by the clock ends; undefined: it has none. */
  #clockEnd: number | undefined;

  /** @param storyMs the time that has to fit into one window; milliseconds */
  constructor(toolkit: Parts, storyMs: number) {
    this.#toolkit = toolkit;
    this.#storyMs = storyMs;
  }

  get #pods(): string[] {
    return this.#toolkit.podClients.map(({ pod }) => pod.name);
  }

  /**
   * Prepares a key: the caller is new to the limiter until the fault.
   * @throws an error whose message states what to do
   */
  async prepare(key: string, signal: AbortSignal): Promise<Omit<Prepared, 'sequence'>> {
    const { limiter, now } = this.#toolkit;
    const limit = limitOf(limiter);
    await untilItFits(limit, this.#storyMs, now, signal);
    this.#clockEnd = windowEnd(limit, now());
    const usableUntil = Math.floor(this.#clockEnd ?? now() + USABLE_MS);
    const { stored } = await countsBefore(this.#toolkit, key, signal);
    if (stored !== 0)
      throw new Error(`Redis counts ${stored} for ${key}, which has not been used: see redis.count`);
    return { fixture: key, usableUntil, message: `A caller that the rate limiter has never seen: ${key}` };
  }

  /**
   * Why nothing may be injected: the key has been used.
   * @throws if this cannot be determined
   */
  async usedBefore(key: string, signal: AbortSignal): Promise<FaultReport | undefined> {
    return await usedBefore(this.#toolkit, key, signal);
  }

  /** Call before a request is sent. */
  sending(): void {
    this.#firstSentAt ??= this.#toolkit.now();
  }

  /**
   * Reads admissions first, and counts after that, so the difference can only be too small.
   * @param admitted the sender's own count
   * @throws only the reason of `signal`
   */
  async sample(key: string, admitted: () => AdmittedByPod, signal: AbortSignal): Promise<CounterSample> {
    const sample = await sampleCounts(this.#toolkit, key, admitted, signal);
    if (!this.#isOver(sample.endedAt)) return sample;
    return { ...sample, stored: undefined, elsewhere: this.#pods };
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
    const admitted = sumOf(byPod.values());
    const deadline = performance.now() + settleMs;
    for (;;) {
      const sample = await this.sample(key, () => byPod, signal);
      const { endedAt, stored = 0 } = sample;
      const missing = missingIn(sample);
      const late = performance.now() >= deadline;
      const isSettled = missing === undefined && stored >= totalAdmitted(sample);
      if (isSettled || (late && missing === undefined)) {
        const total = `Redis holds ${counted(stored, 'count')} for the ${counted(admitted, 'request')} that were admitted`;
        const more = stored > admitted ? '. It counts others, too, so some may be lost all the same' : '';
        return {
          // With counts of other clients it is unknown when all admissions were counted again.
          ...(isSettled && drifted && stored === admitted && { restedAt: endedAt }),
          stored,
          message: `${total}${more}`,
        };
      }
      if (late) {
        return { message: `the count could not be read at the end, so lost counts are unknown: ${missing}` };
      }
      await pauseFor(SAMPLE_EVERY_MS, signal);
    }
  }
}
