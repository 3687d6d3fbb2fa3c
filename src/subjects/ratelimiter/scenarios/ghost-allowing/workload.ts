/** Over-admission in bursts: each of one caller, to all pods at once. */

import type { FaultMoment } from '@chaosdemo/redis-faults';
import { pauseFor, untilAborted } from '@chaosdemo/redis-faults/waiting';
import { counted, messageOf, truncate } from '../../../../api/index.ts';
import type { FaultReport } from '../../../../engine/observed.ts';
import type { Permit } from '../../../../engine/subject.ts';
import { type Ready, type Stage, USABLE_MS, Workload } from '../../../scenarios/workload.ts';
import { type BurstsSeen, isConfirmed } from '../../checkers/bursts.ts';
import type { Toolkit } from '../../controls/tools.ts';
import { trialKeys } from '../../history/caller-keys.ts';
import { fitsFrom } from '../../limits/window-turn.ts';
import { recordBurst } from '../../workloads/burst.ts';
import type { BurstPlan } from './plan.ts';
import { reportOf } from './words.ts';

/** Pause after the first trial, and what each later pause adds to it: no two trials hit a sync at the same phase. */
const REST_MS = 100;
const REST_LONGER_MS = 17;

export class BurstWorkload extends Workload<BurstsSeen, BurstPlan, Toolkit> {
  /** Sends no request that counts: a caller is new to the limiter until its burst. */
  async prepare(fixture: string, stage: Stage<BurstsSeen>, signal: AbortSignal): Promise<Ready> {
    const { now, ownLimit } = this.toolkit;
    const { trials } = this.plan.parameters;
    await ownLimit?.untilReplenished(signal);
    this.recording = stage.record();
    return {
      usableUntil: Math.floor(now() + USABLE_MS),
      message: ownLimit
        ? "The limit of the operator's address is whole"
        : `${counted(trials, 'caller')} that the rate limiter has never seen: ${fixture}`,
    };
  }

  async inject({ plannedAt, until }: FaultMoment, permit: Permit, signal: AbortSignal): Promise<FaultReport> {
    const { now } = this.toolkit;
    const { roomMs, rules } = this.plan;
    const judge = this.recorded;
    const { history } = judge;
    const keys = trialKeys(history.setup.fixture, this.plan.parameters.trials);
    for (const [i, key] of keys.entries()) {
      try {
        if (i > 0) await this.#rest(i, signal);
        const at = i === 0 ? Math.max(plannedAt, now()) : now();
        await this.#burst(key, fitsFrom(rules, roomMs, at), until, permit, signal);
        const last = judge.state.trials.at(-1);
        if (!last || !isConfirmed(last)) break;
      } catch (error) {
        signal.throwIfAborted();
        if (i === 0) throw error;
        history.append({ kind: 'stopped', at: now(), why: truncate(messageOf(error), 512) });
        break;
      }
    }
    return reportOf(judge.state.trials, history.setup.pods.length);
  }

  async #rest(trial: number, signal: AbortSignal): Promise<void> {
    const { ownLimit } = this.toolkit;
    await (ownLimit?.untilReplenished(signal) ?? pauseFor(REST_MS + REST_LONGER_MS * trial, signal));
  }

  async watch(signal: AbortSignal, report: () => void): Promise<void> {
    report();
    await untilAborted(signal);
  }

  async #burst(key: string, at: number, until: number, permit: Permit, signal: AbortSignal): Promise<void> {
    const { budget, callers, dial, health, now, ownLimit, target } = this.toolkit;
    const { pods } = target;
    const { history } = this.recorded;
    const onStart = (): void => {
      const refusal = now() > until ? 'its time was over' : permit.refusal();
      if (refusal !== undefined) throw new Error(refusal);
    };
    const burst = {
      pods,
      callers,
      key,
      requests: this.plan.requestsTo(pods.length),
      timeoutMs: this.plan.timeoutMs,
      budget,
      at,
      until,
      now,
      onStart,
      // Over TLS, a wake-up request would take CPU time that the burst needs.
      ...(dial ? { dial } : health.path !== undefined && { wakeUp: { method: 'GET', path: health.path } }),
    };
    const sent = await recordBurst(burst, signal).finally(() => ownLimit?.used());
    for (const request of sent.requests) history.request(request);
    history.append(sent.burst);
  }
}
