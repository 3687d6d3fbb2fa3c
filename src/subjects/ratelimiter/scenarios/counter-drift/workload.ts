/** Counter drift: steady traffic with one key, and samples of its counters. */

import { pauseFor, untilAborted } from '@chaosdemo/redis-faults/waiting';
import { counted } from '../../../../api/index.ts';
import {
  type AdmittedByPod,
  type CounterSample,
  missingIn,
  totalAdmitted,
} from '../../../history/counter-sample.ts';
import { type Ready, type Settled, type Stage, USABLE_MS, Workload } from '../../../scenarios/workload.ts';
import { admittedBySender, type DriftSeen, hasDrifted, isComplete, isUrgent } from '../../checkers/drift.ts';
import type { Toolkit } from '../../controls/tools.ts';
import { SAMPLE_EVERY_MS, sampleCounts, watchCounters } from '../../interfaces/counts.ts';
import { named } from '../../limits/counting.ts';
import type { Rules } from '../../limits/rate-limit.ts';
import { untilItFits, windowEnd } from '../../limits/window-turn.ts';
import { type Due, podByPod, runTraffic } from '../../workloads/traffic.ts';
import type { DriftPlan } from './plan.ts';

export class DriftWorkload extends Workload<DriftSeen, DriftPlan, Toolkit> {
  /** Requests in flight, by pod. */
  readonly #inFlight = new Map<string, number>();
  /** When the first request of the key was sent: its window begins no earlier. */
  #firstSentAt = Number.POSITIVE_INFINITY;

  /** The caller is new to the limiter until the fault. */
  async prepare(key: string, stage: Stage<DriftSeen>, signal: AbortSignal): Promise<Ready> {
    const { now } = this.toolkit;
    const { storyMs, windowMs } = this.plan;
    await stage.admit(2 * windowMs, signal);
    await untilItFits(this.#rules, storyMs, now, signal);
    this.recording = stage.record();
    const { preparedAt } = this.recording.history.setup;
    return {
      usableUntil: Math.floor(windowEnd(this.#rules, preparedAt) ?? preparedAt + USABLE_MS),
      message: `A caller that the rate limiter has never seen: ${key}`,
    };
  }

  /**
   * Earlier counts are not due to the fault, and leave less of the limit than the fault needs.
   * @throws Error if there are any, or they cannot be read
   */
  async arrive(signal: AbortSignal): Promise<void> {
    const key = this.#key;
    const sample = await sampleCounts(this.toolkit, key, {}, signal);
    const missing = missingIn(sample);
    if (missing !== undefined)
      throw new Error(`the counters of ${key} could not be read before the fault: ${missing}`);
    if (sample.stored === 0) return;
    throw new Error(
      `${key} had been used before the fault (Redis counted ${sample.stored}). Find which other client sends requests for keys that begin with demo-`,
    );
  }

  async watch(signal: AbortSignal): Promise<void> {
    const judge = this.recorded;
    await watchCounters(
      async (end) => await this.#sample(admittedBySender(judge.state), end),
      // A sample after the end of the watch proves nothing about this fault.
      (sample) => isComplete(judge.state) || this.#record(sample),
      signal,
      { isUrgent: () => isUrgent(judge.state) },
    );
  }

  /** @throws only the reason of `signal` */
  async #sample(admitted: AdmittedByPod, signal: AbortSignal): Promise<CounterSample> {
    const sample = await sampleCounts(this.toolkit, this.#key, admitted, signal);
    const { windowMs } = this.plan;
    const clockEnds = windowEnd(this.#rules, this.recorded.history.setup.preparedAt) ?? Infinity;
    const windowEnds = Math.min(clockEnds, this.#firstSentAt + windowMs);
    if (sample.endedAt < windowEnds) return sample;
    // The window of the key, and with it its count, may have ended.
    const { stored: _, ...rest } = sample;
    return { ...rest, elsewhere: this.toolkit.podClients.map(({ pod }) => pod.name) };
  }

  #record(sample: CounterSample): void {
    const inFlight = Object.fromEntries([...this.#inFlight].filter(([, requests]) => requests > 0));
    this.recorded.history.append({ kind: 'count', key: this.#key, ...sample, inFlight });
  }

  /** The traffic of a fault ends with the fault, even if the end of the fault cannot be stored in time. */
  async load(signal: AbortSignal): Promise<void> {
    const { podClients, callers, lifetime, now, room } = this.toolkit;
    const { history } = this.recorded;
    const left = history.times.until - now();
    const over = Number.isFinite(left) ? [AbortSignal.timeout(Math.max(0, Math.ceil(left)))] : [];
    const end = AbortSignal.any([signal, ...over]);
    const traffic = runTraffic(
      {
        schedule: podByPod(podClients, () => this.#key),
        turnsPerSecond: this.plan.rate,
        callers,
        callerTimeoutMs: this.plan.timeoutMs,
        room,
        leftOut: () => history.append({ kind: 'left-out', requests: 1 }),
        sending: (due) => this.#sending(due),
      },
      (request) => history.request(request),
      end,
      lifetime,
    );
    // Late answers count when they arrive; the load does not wait for them.
    await Promise.race([traffic, untilAborted(end)]);
    await untilAborted(signal);
  }

  #sending({ client }: Due): () => void {
    const { name } = client.pod;
    const inFlight = this.#inFlight;
    inFlight.set(name, (inFlight.get(name) ?? 0) + 1);
    this.#firstSentAt = Math.min(this.#firstSentAt, this.toolkit.now());
    return () => void inFlight.set(name, (inFlight.get(name) ?? 0) - 1);
  }

  /** Waits until all that was admitted is counted again. */
  async settle(settleMs: number, signal: AbortSignal): Promise<Settled> {
    const { state } = this.recorded;
    const byPod = admittedBySender(state);
    const admitted = totalAdmitted({ admitted: byPod });
    const deadline = performance.now() + settleMs;
    for (;;) {
      const sample = await this.#sample(byPod, signal);
      const { endedAt, stored = 0 } = sample;
      const missing = missingIn(sample);
      const late = performance.now() >= deadline;
      const isSettled = missing === undefined && stored >= admitted;
      if (isSettled || (late && missing === undefined)) {
        const total = `Redis holds ${counted(stored, 'count')} for the ${counted(admitted, 'request')} that were admitted`;
        const more = stored > admitted ? '. It counts others, too, so some may be lost all the same' : '';
        return {
          // With counts of other clients it is unknown when all admissions were counted again.
          ...(isSettled && hasDrifted(state) && stored === admitted && { restedAt: endedAt }),
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

  /** By which the limiter may count, as Setup has measured. */
  get #rules(): Rules {
    return named(this.plan.rules, this.toolkit.control()?.baseline.rules);
  }

  get #key(): string {
    return this.recorded.history.setup.fixture;
  }
}
