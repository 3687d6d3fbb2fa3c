/** A workload before, during and after a fault of the store. */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import type { FaultTimes } from '../history/recorded.ts';
import { podsNow, restartedSince } from '../targets/pods-now.ts';
import type { ScenarioPlan } from './scenario-type.ts';
import type { Toolkit } from './tools.ts';
import { Workload } from './workload.ts';

/** Polling interval for the start and the end of the fault; milliseconds. */
const TICK_MS = 100;

export abstract class WatchedWorkload<
  A = unknown,
  P extends ScenarioPlan = ScenarioPlan,
  T extends Toolkit = Toolkit,
> extends Workload<A, P, T> {
  /** Notes which pods were restarted in the fault. */
  protected async noteRestarts(signal: AbortSignal): Promise<void> {
    const { history } = this.recorded;
    const { lookAtPods, now } = this.toolkit;
    await this.untilStarted(signal);
    const before = await podsNow(lookAtPods, signal);
    await this.untilAfterEnd(0, signal);
    const pods = restartedSince(before, await podsNow(lookAtPods, signal));
    if (pods.length > 0) history.append({ kind: 'restarted', at: now(), pods });
  }

  protected async untilStarted(signal: AbortSignal): Promise<void> {
    while (this.times.startedAt === undefined) await pauseFor(TICK_MS, signal);
  }

  /** Waits until this many milliseconds after the end of the fault. */
  protected async untilAfterEnd(ms: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const { endedAt = Number.POSITIVE_INFINITY } = this.times;
      const left = endedAt + ms - this.toolkit.now();
      if (left <= 0) return;
      await pauseFor(Math.min(left, TICK_MS), signal);
    }
  }

  /** When the fault is active, or may be. */
  protected get times(): Pick<FaultTimes, 'endedAt' | 'startedAt'> {
    const { times } = this.recorded.history;
    return times.presumed ?? times;
  }
}
