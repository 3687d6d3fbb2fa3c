/** A store outage: what callers experience before, during and after a fault of the store. */

import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { counted, formatDuration } from '../../../../api/index.ts';
import { WatchedWorkload } from '../../../scenarios/watched-workload.ts';
import { type Ready, type Stage } from '../../../scenarios/workload.ts';
import { podsNow } from '../../../targets/pods-now.ts';
import type { OutageSeen } from '../../checkers/outage-seen.ts';
import { CLOCK_WITHIN_MS, untilItFits, windowEnd } from '../../limits/window-turn.ts';
import type { Toolkit } from '../../tools.ts';
import { whyDecided } from './judge.ts';
import { OutageCallers } from './outage-callers.ts';
import type { OutagePlan } from './plan.ts';
import type { Phase } from './population.ts';

/** How long a key can be used if no end of a window matters; milliseconds. */
const NO_WINDOW_MS = 600_000;

export class OutageWorkload extends WatchedWorkload<OutageSeen, OutagePlan, Toolkit> {
  #callers: OutageCallers | undefined;
  #isWaiting = false;
  /** Ends the listening to requests whose callers gave up. */
  readonly #listening = new AbortController();

  /** Exhausts the limit of one caller, and has requests of others admitted: both must work before a fault. */
  async prepare(fixture: string, stage: Stage<OutageSeen>, signal: AbortSignal): Promise<Ready> {
    const { now, ownLimit, target } = this.toolkit;
    const { controlledStoryMs: takesMs, full, limit, windowsEnd: anyWindow } = this.plan;
    const { windowMs } = limit;
    const callers = this.#callersOf(fixture);
    this.#callers = callers;
    // The cool-downs of one caller take longer than a check of Redis stays valid.
    const early = ownLimit && (await callers.control(signal));
    // As much of it as fits: one caller does not need all of it.
    const needMs = Math.min(takesMs, windowMs - 2 * CLOCK_WITHIN_MS);
    if (!anyWindow) await untilItFits(limit, needMs, now, signal);
    await stage.admit(2 * Math.max(windowMs, takesMs), signal);
    this.recording = stage.record();
    const { history } = this.recording;
    for (const request of early ?? (await callers.control(signal))) history.request(request);
    const { preparedAt } = history.setup;
    const windowEnds = anyWindow ? undefined : windowEnd(limit, preparedAt);
    // The window of the one caller begins with the fault.
    const noWindow = anyWindow || limit.algorithm === 'TokenBucket' || ownLimit;
    const requests = counted(full, 'request');
    const pods = counted(target.pods.length, 'pod');
    return {
      usableUntil: Math.floor(windowEnds ?? preparedAt + (noWindow ? NO_WINDOW_MS : windowMs)),
      message: ownLimit
        ? `The operator's address: ${requests} admitted and then rejected by ${pods}, and the limit is replenished`
        : `Callers ${fixture}-...: ${requests} admitted and then rejected, others admitted by ${pods}`,
    };
  }

  #callersOf(fixture: string): OutageCallers {
    const { callerTimeoutMs, parameters } = this.plan;
    return new OutageCallers({
      toolkit: this.toolkit,
      draw: this.plan.draw(this.toolkit.target.pods.length, fixture),
      turnsPerSecond: parameters.requestsPerSecond,
      callerTimeoutMs,
      phase: () => this.#phase,
      record: (request) => this.recorded.history.request(request),
      leftOut: () => this.recording?.history.append({ kind: 'left-out', requests: 1 }),
      late: {
        onAnswer: (request, late) => this.recording?.history.late(request, late),
        until: this.#listening.signal,
      },
    });
  }

  async arrive(signal: AbortSignal): Promise<undefined> {
    if (!this.toolkit.ownLimit) return;
    this.recorded.history.append({ kind: 'arrived', at: this.toolkit.now() });
    await this.#callers?.arrive(signal);
  }

  /**
   * Callers send from the start of the watch, or of the fault if one caller has its limit for all of it, until the time
   * to recover has ended; then the outcomes are judged. If there is no violation by then, they wait for their limits to
   * return, and send again.
   */
  async watch(signal: AbortSignal): Promise<void> {
    const { history } = this.recorded;
    const callers = this.#callers;
    if (!callers || history.last('traffic-ended')) return;
    const { now } = this.toolkit;
    const { returnsWithinMs: withinMs, sendAfterMs, watchedAfterMs } = this.plan;
    const enough = new AbortController();
    try {
      const sent = this.#send(callers, AbortSignal.any([signal, enough.signal]));
      const noted = this.noteRestarts(signal);
      // If the watch ends before them, their outcome is not read.
      for (const outcome of [sent, noted]) outcome.catch(() => undefined);
      await this.untilAfterEnd(sendAfterMs, signal);
      enough.abort();
      await sent;
      const [{ replaced }] = await Promise.all([
        podsNow(this.toolkit.lookAtPods, signal),
        noted,
        // The last callers have their answers, or have given up, when the watch ends.
        this.untilAfterEnd(watchedAfterMs, signal),
      ]);
      const endedAt = now();
      history.append({ kind: 'traffic-ended', at: endedAt, moved: [...replaced] });
      const why = this.#whyNoReturn();
      history.append({ kind: 'return', at: now(), ...(why !== undefined && { why }) });
      if (withinMs !== undefined && why === undefined) {
        this.#isWaiting = true;
        const returned = new AbortController();
        await Promise.all([
          callers.ask(AbortSignal.any([signal, returned.signal])),
          pauseFor(withinMs, signal).finally(() => returned.abort()),
        ]);
        await callers.whenReturned(signal);
      }
      history.append({ kind: 'ended', at: why === undefined ? now() : endedAt });
    } finally {
      this.#listening.abort();
      enough.abort();
    }
  }

  /** Why the run does not wait for limits to return; undefined: it does. */
  #whyNoReturn(): string | undefined {
    const { limit, returnsWithinMs } = this.plan;
    return (
      whyDecided(this.recorded.judge) ??
      (returnsWithinMs === undefined
        ? `its window of ${formatDuration(limit.windowMs)} takes longer to end than a run waits`
        : undefined)
    );
  }

  async #send(callers: OutageCallers, stop: AbortSignal): Promise<void> {
    // Before the fault, requests would use up the limit, which has to be replenished when it begins.
    if (this.toolkit.ownLimit) await this.untilStarted(stop).catch(() => undefined);
    await callers.traffic(stop);
  }

  get #phase(): Phase {
    if (this.#isWaiting) return 'waiting';
    if (!this.recording) return 'before';
    const { endedAt = Number.POSITIVE_INFINITY, startedAt } = this.times;
    if (startedAt === undefined) return 'before';
    const since = this.toolkit.now() - endedAt;
    if (since < 0) return 'during';
    return since < this.plan.recoverMs ? 'after' : 'settled';
  }
}
