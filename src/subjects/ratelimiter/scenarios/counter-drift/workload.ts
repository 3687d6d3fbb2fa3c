/** Counter drift: steady traffic with one key, and samples of the counters. */
import { parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type { FaultReport, Prepared } from '../../../../demo/observed.ts';
import { countEvent } from '../../history/counts.ts';
import { Turn, watchCounters } from '../../interfaces/counter-watch.ts';
import type { Toolkit } from '../../tools.ts';
import { untilAborted } from '../../waiting.ts';
import { always, type Due, podByPod, runTraffic } from '../../workloads/traffic.ts';
import type { Recording, Settled, Stage, Workload } from '../workload.ts';
import { CallerCounters } from './caller-counters.ts';
import type { Counters } from './counters.ts';
import type { DriftJudge } from './judge.ts';
import { parametersOf, storyMs, usesReportedQuota } from './parameters.ts';
import { QuotaCounters } from './quota-counters.ts';

export class DriftWorkload implements Workload<DriftJudge> {
  readonly #toolkit: Toolkit;
  readonly #requestsPerSecond: number;
  readonly #counters: Counters;
  readonly #turn = new Turn();
  /** Requests on their way, by pod. */
  readonly #inFlight = new Map<string, number>();
  #recording: Recording<DriftJudge> | undefined;

  constructor(scenario: ScenarioSpec, toolkit: Toolkit) {
    this.#toolkit = toolkit;
    this.#requestsPerSecond = parametersOf(scenario).requestsPerSecond;
    this.#counters = countersFor(scenario, toolkit);
  }

  async prepare(
    key: string,
    stage: Stage<DriftJudge>,
    signal: AbortSignal,
  ): Promise<Omit<Prepared, 'sequence'>> {
    await stage.admit(2 * parseDuration(this.#toolkit.limiter.limit.window), signal);
    const prepared = await this.#counters.prepare(key, signal);
    this.#recording = stage.record(this.#requestsPerSecond);
    const { history, judge } = this.#recording;
    history.listen(() => judge.isUrgent && this.#turn.now());
    return prepared;
  }

  async arrive(signal: AbortSignal): Promise<FaultReport | undefined> {
    return await this.#counters.usedBefore(this.#recorded.fixture, signal);
  }

  async watch(signal: AbortSignal): Promise<void> {
    const { fixture: key, history, judge } = this.#recorded;
    await watchCounters(
      async (end) => await this.#counters.look(key, () => judge.admittedBySender, end),
      // What comes after the end of the watch proves nothing about this fault.
      (sample) => judge.isComplete || history.append(countEvent(key, sample, this.#inFlight)),
      signal,
      { turn: this.#turn },
    );
  }

  /** The traffic of a fault ends with the fault, even if the end of the fault cannot be stored in time. */
  async load(signal: AbortSignal): Promise<void> {
    const { podClients, callers, lifetime, now, room, timeoutMs } = this.#toolkit;
    const { fixture: key, history } = this.#recorded;
    const left = history.times.until - now();
    const over = Number.isFinite(left) ? [AbortSignal.timeout(Math.max(0, Math.ceil(left)))] : [];
    const end = AbortSignal.any([signal, ...over]);
    const traffic = runTraffic(
      {
        schedule: podByPod(podClients, { caller: 'Steady', keys: always(key) }),
        turnsPerSecond: this.#requestsPerSecond,
        callers,
        callerTimeoutMs: timeoutMs,
        room,
        leftOut: () => history.append({ kind: 'left-out', requests: 1 }),
        sending: (due) => this.#sending(due),
      },
      (request) => history.request(request),
      end,
      lifetime,
    );
    // Answers that are still open count when they come; the load does not wait for them.
    await Promise.race([traffic, untilAborted(end)]);
    await untilAborted(signal);
  }

  #sending({ client }: Due): ReturnType<Counters['sending']> {
    const { name } = client.node;
    const inFlight = this.#inFlight;
    inFlight.set(name, (inFlight.get(name) ?? 0) + 1);
    const heard = this.#counters.sending(name);
    return (asked) => {
      inFlight.set(name, (inFlight.get(name) ?? 0) - 1);
      heard?.(asked);
    };
  }

  async settle(settleMs: number, signal: AbortSignal): Promise<Settled> {
    const { fixture: key, judge } = this.#recorded;
    return await this.#counters.settle(
      { key, drifted: judge.hasDrifted, admitted: judge.admitted, settleMs },
      signal,
    );
  }

  get #recorded(): Recording<DriftJudge> {
    if (!this.#recording) throw new Error('the workload was not prepared');
    return this.#recording;
  }
}

/** Counts that can be read go before the quota that answers report. */
function countersFor(scenario: ScenarioSpec, toolkit: Toolkit): Counters {
  const { limiter } = toolkit;
  const { remainingHeader } = limiter.http ?? {};
  return remainingHeader && usesReportedQuota(limiter)
    ? new QuotaCounters(toolkit, remainingHeader, storyMs(scenario, limiter))
    : new CallerCounters(toolkit, storyMs(scenario, limiter));
}
