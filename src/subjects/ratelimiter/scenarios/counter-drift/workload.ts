/** Counter drift: steady traffic with one key, and samples of the counters. */
import { untilAborted } from '@chaosdemo/redis-faults/waiting';
import { parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type { FaultReport, Prepared } from '../../../../engine/observed.ts';
import { hasDrifted } from '../../checkers/drift.ts';
import { admittedBySender, type DriftSeen, isComplete, isUrgent } from '../../checkers/drift-seen.ts';
import { countEvent } from '../../history/counts.ts';
import { Turn, watchCounters } from '../../interfaces/counter-watch.ts';
import { timeoutOf } from '../../spec/limit-of-spec.ts';
import type { Toolkit } from '../../tools.ts';
import { always, type Due, podByPod, runTraffic } from '../../workloads/traffic.ts';
import type { Recording, Settled, Stage, Workload } from '../workload.ts';
import { CallerCounts } from './caller-counts.ts';
import { parametersOf, storyMs } from './parameters.ts';

export class DriftWorkload implements Workload<DriftSeen> {
  readonly #toolkit: Toolkit;
  readonly #requestsPerSecond: number;
  readonly #counts: CallerCounts;
  readonly #turn = new Turn();
  /** Requests in flight, by pod. */
  readonly #inFlight = new Map<string, number>();
  #recording: Recording<DriftSeen> | undefined;

  constructor(scenario: ScenarioSpec, toolkit: Toolkit) {
    this.#toolkit = toolkit;
    this.#requestsPerSecond = parametersOf(scenario).requestsPerSecond;
    this.#counts = new CallerCounts(toolkit, storyMs(scenario, toolkit.limiter));
  }

  async prepare(
    key: string,
    stage: Stage<DriftSeen>,
    signal: AbortSignal,
  ): Promise<Omit<Prepared, 'sequence'>> {
    await stage.admit(2 * parseDuration(this.#toolkit.limiter.limit.window), signal);
    const prepared = await this.#counts.prepare(key, signal);
    this.#recording = stage.record(this.#requestsPerSecond);
    const { history, judge } = this.#recording;
    history.listen(() => isUrgent(judge.state) && this.#turn.now());
    return prepared;
  }

  async arrive(signal: AbortSignal): Promise<FaultReport | undefined> {
    return await this.#counts.usedBefore(this.#recorded.fixture, signal);
  }

  async watch(signal: AbortSignal): Promise<void> {
    const { fixture: key, history, judge } = this.#recorded;
    await watchCounters(
      async (end) => await this.#counts.sample(key, () => admittedBySender(judge.state), end),
      // A sample after the end of the watch proves nothing about this fault.
      (sample) => isComplete(judge.state) || history.append(countEvent(key, sample, this.#inFlight)),
      signal,
      { turn: this.#turn },
    );
  }

  /** The traffic of a fault ends with the fault, even if the end of the fault cannot be stored in time. */
  async load(signal: AbortSignal): Promise<void> {
    const { podClients, callers, lifetime, limiter, now, room } = this.#toolkit;
    const { fixture: key, history } = this.#recorded;
    const left = history.times.until - now();
    const over = Number.isFinite(left) ? [AbortSignal.timeout(Math.max(0, Math.ceil(left)))] : [];
    const end = AbortSignal.any([signal, ...over]);
    const traffic = runTraffic(
      {
        schedule: podByPod(podClients, 'Steady', always(key)),
        turnsPerSecond: this.#requestsPerSecond,
        callers,
        callerTimeoutMs: timeoutOf(limiter),
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
    this.#counts.sending();
    return () => void inFlight.set(name, (inFlight.get(name) ?? 0) - 1);
  }

  async settle(settleMs: number, signal: AbortSignal): Promise<Settled> {
    const { fixture: key, judge } = this.#recorded;
    return await this.#counts.settle(
      { key, drifted: hasDrifted(judge.state), admitted: admittedBySender(judge.state), settleMs },
      signal,
    );
  }

  get #recorded(): Recording<DriftSeen> {
    if (!this.#recording) throw new Error('the workload was not prepared');
    return this.#recording;
  }
}
