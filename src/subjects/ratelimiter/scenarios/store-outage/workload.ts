/** A store outage: what callers experience before, during and after a fault of the store. */

import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { counted, formatDuration } from '../../../../api/index.ts';
import { applying, code, compose } from '../../../checkers/checker.ts';
import { finishedAt } from '../../../checkers/seen.ts';
import type { Judge } from '../../../scenarios/judge.ts';
import { type Ready, type Stage, USABLE_MS, WatchedWorkload } from '../../../scenarios/workload.ts';
import type { PodsNow } from '../../../targets/pods-now.ts';
import { countingIn, type OutageSeen, viewOf } from '../../checkers/outage-seen.ts';
import { STATED } from '../../checkers/over-admission.ts';
import type { Toolkit } from '../../controls/tools.ts';
import { CLOCK_WITHIN_MS, untilItFits, windowEnd } from '../../limits/window-turn.ts';
import { type OutageCallers, outageCallersOf } from './outage-callers.ts';
import type { OutagePlan } from './plan.ts';
import type { Phase } from './population.ts';
import { outageWords } from './words.ts';

export class OutageWorkload extends WatchedWorkload<OutageSeen, OutagePlan, Toolkit> {
  #callers: OutageCallers | undefined;
  #isWaiting = false;

  /** Exhausts the limit of one caller, and has requests of others admitted: both must work before a fault. */
  async prepare(fixture: string, stage: Stage<OutageSeen>, signal: AbortSignal): Promise<Ready> {
    const { now, ownLimit, target } = this.toolkit;
    const { controlledStoryMs: takesMs, full, isInClockWindow, rules, windowMs, windowsEnd } = this.plan;
    const callers = outageCallersOf({
      plan: this.plan,
      toolkit: this.toolkit,
      fixture,
      phase: () => this.#phase,
      history: () => this.recording?.history,
      until: this.over.signal,
    });
    this.#callers = callers;
    // The cool-downs of one caller take longer than a check of Redis stays valid.
    const early = ownLimit && (await callers.control(signal));
    // As much of it as fits: one caller does not need all of it.
    const needMs = Math.min(takesMs, windowMs - 2 * CLOCK_WITHIN_MS);
    if (isInClockWindow) await untilItFits(rules, needMs, now, signal);
    await stage.admit(2 * Math.max(windowMs, takesMs), signal);
    this.recording = stage.record();
    const { history } = this.recording;
    for (const request of early ?? (await callers.control(signal))) history.request(request);
    const { preparedAt } = history.setup;
    const windowEnds = isInClockWindow ? windowEnd(rules, preparedAt) : undefined;
    // The window of the one caller begins with the fault.
    const isBucket = rules.every(({ algorithm }) => algorithm === 'TokenBucket');
    const noWindow = windowsEnd || isBucket || ownLimit;
    const requests = counted(full, 'request');
    const pods = counted(target.pods.length, 'pod');
    return {
      usableUntil: Math.floor(windowEnds ?? preparedAt + (noWindow ? USABLE_MS : windowMs)),
      message: ownLimit
        ? `The operator's address: ${requests} admitted and then rejected by ${pods}, and the limit is replenished`
        : `Callers ${fixture}-...: ${requests} admitted and then rejected, others admitted by ${pods}`,
    };
  }

  /** @throws Error if the limiter keeps another limit, or if the one caller is not admitted */
  async arrive(signal: AbortSignal): Promise<void> {
    const { open, returns, rules } = countingIn(this.recorded.state);
    if (rules.length === 0)
      throw new Error(
        outageWords(code('OtherLimit', { rules: open, returns, isStated: open.length <= STATED })),
      );
    if (!this.toolkit.ownLimit) return;
    this.recorded.history.append({ kind: 'arrived', at: this.toolkit.now() });
    await this.#callers?.arrive(signal);
  }

  /**
   * If there is no violation by now, callers wait for their limits to return, and send again. New callers ask for theirs
   * if a result depends on how the limiter counts.
   */
  protected async observeReturn(_: PodsNow, endedAt: number, signal: AbortSignal): Promise<number> {
    const { now } = this.toolkit;
    const why = this.#whyNoReturn();
    this.recorded.history.append({ kind: 'return', at: now(), ...(why !== undefined && { why }) });
    if (why !== undefined) return endedAt;
    this.#isWaiting = true;
    const returned = new AbortController();
    await Promise.all([
      this.#callers?.ask(AbortSignal.any([signal, returned.signal])),
      Promise.all([
        pauseFor(this.plan.returnsWithinMs ?? 0, signal),
        dependsOnCounting(this.recorded) && this.#callers?.askForReturns(signal),
      ]).finally(() => returned.abort()),
    ]);
    await this.#callers?.whenReturned(signal);
    return now();
  }

  /** Why the run does not wait for limits to return; undefined: it does. */
  #whyNoReturn(): string | undefined {
    const { parameters, returnsWithinMs, windowMs } = this.plan;
    const decided = whyDecided(this.recorded);
    if (decided !== undefined || returnsWithinMs !== undefined) return decided;
    return parameters.limitReturn === 'Skip'
      ? 'storeOutage.limitReturn is Skip'
      : `its window of ${formatDuration(windowMs)} takes longer to end than a run waits`;
  }

  /** From the start of the watch, or of the fault if one caller has its limit for all of it. */
  protected async send(stop: AbortSignal): Promise<void> {
    // Before the fault, requests would use up the limit, which has to be replenished when it begins.
    if (this.toolkit.ownLimit) await this.untilStarted(stop).catch(() => undefined);
    await this.#callers?.traffic(stop);
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

/** Why the return of the limit no longer matters; undefined: it does. */
export function whyDecided(judge: Judge<OutageSeen>): string | undefined {
  const { state } = judge;
  const isProven = finishedAt(state) !== undefined && compose(judge.findings()).unproven.length === 0;
  if (!isProven || !viewOf(state)?.isSeen) return 'the proof is incomplete anyway';
  return judge.reading()?.detectedAt === undefined ? undefined : 'the invariant was broken before';
}

/** Whether the result changes with what is known of how the limiter counts. */
export function dependsOnCounting(judge: Judge<OutageSeen>): boolean {
  const { missing } = judge.findings().get('overAdmission') ?? {};
  return applying(missing).some(({ code }) => code === 'Undecided');
}
