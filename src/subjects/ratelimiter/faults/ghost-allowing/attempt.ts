/** One attempt of ghost allowing: from its key to what it left. */
import { parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type { FaultReport, InvariantReading, RecoveryReport } from '../../../../demo/observed.ts';
import type { Permit } from '../../../../demo/subject.ts';
import type { DiagnosisRequest } from '../../../../diagnosis/index.ts';
import {
  BurstNotSentError,
  type BurstResult,
  injectBurstTraffic,
} from '../../interfaces/reference/check-burst.ts';
import { sendWrite } from '../../store/write-probe.ts';
import { untilAborted } from '../../waiting.ts';
import type { FaultAttempt, Preparation, Toolkit } from '../fault.ts';
import { FaultWatch } from '../fault-watch.ts';
import { prepareKey } from '../fixture.ts';
import { watchRecovery } from '../recovery.ts';
import type { Timeline } from '../timeline.ts';
import { GhostInvariant } from './invariant.ts';
import { parametersOf } from './parameters.ts';
import { reportOfBurst } from './report.ts';

export class GhostAllowingAttempt implements FaultAttempt {
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  #invariant: GhostInvariant | undefined;
  #watch: FaultWatch | undefined;

  constructor(scenario: ScenarioSpec, toolkit: Toolkit) {
    this.#scenario = scenario;
    this.#toolkit = toolkit;
  }

  async prepare(key: string, signal: AbortSignal): Promise<Preparation> {
    const { limiter, target } = this.#toolkit;
    const { window, prepared } = await prepareKey(this.#toolkit, key, signal);
    const nodes = target.nodes.map(({ name }) => name);
    const invariant = new GhostInvariant({ nodes, limit: limiter.limit.requests });
    this.#invariant = invariant;
    this.#watch = new FaultWatch({
      scenario: this.#scenario.name,
      invariant,
      window,
      settleMs: parseDuration(parametersOf(this.#scenario).settle),
      toolkit: this.#toolkit,
    });
    return { prepared };
  }

  async inject(
    { plannedAt: at, until }: { readonly plannedAt: number; readonly until: number },
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const { limiter, now, redis, target, timeoutMs } = this.#toolkit;
    const watch = this.#watch;
    if (!watch || !this.#invariant) throw new BurstNotSentError('its key was not set up by this process');
    watch.planned(until);
    const requests = limiter.limit.requests * parametersOf(this.#scenario).multiplier;
    const { key, windowId } = watch.window;
    // A write meanwhile shows whether it was Redis that stood in the way.
    const writer = await redis.openProbeWriter().catch(() => undefined);
    let probe: Promise<void> | undefined;
    const onStart = (): void => {
      const refusal = now() > until ? 'its time was over' : permit.refusal();
      if (refusal !== undefined) throw new BurstNotSentError(refusal);
      if (!writer) return;
      const { sentAt, taken } = sendWrite(writer, now);
      probe = taken.then(
        (at) => watch.timeline.writeAccepted(at, at - sentAt),
        () => undefined,
      );
    };
    try {
      const { nodes } = target;
      const burst = await injectBurstTraffic(
        { nodes, key, windowId, requests, timeoutMs, at, now, onStart, budget: this.#toolkit.budget },
        signal,
      );
      // Answered long ago, or never: the burst waits for no write.
      await Promise.race([probe, new Promise((resolve) => setImmediate(resolve))]);
      note(burst, watch.timeline);
      this.#invariant.setBurst(burst, now());
      const report = reportOfBurst(burst, nodes.length);
      watch.reported(report);
      return report;
    } finally {
      writer?.close();
    }
  }

  async watch(tell: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void> {
    await (this.#watch?.run(tell, signal) ?? untilAborted(signal));
  }

  async recover(settleMs: number, signal: AbortSignal): Promise<RecoveryReport> {
    const { now, observers, redis, timeoutMs } = this.#toolkit;
    const writeWithinMs = timeoutMs + settleMs;
    const window = this.#watch?.window;
    return await watchRecovery(
      { observers, redis, window, drifted: false, writeWithinMs, settleMs, now },
      signal,
    );
  }

  diagnosisRequest(): DiagnosisRequest | undefined {
    return this.#watch?.request();
  }
}

/** Notes a burst for the diagnosis. One with unanswered requests is not proven, so nobody explains it. */
function note({ sent, allowedBy, startedAt, endedAt, sendSpanMs }: BurstResult, timeline: Timeline): void {
  for (const [node, count] of sent) {
    timeline.total(startedAt, node, 'requests-sent', 1, 'the first request was sent to it');
    timeline.total(startedAt + sendSpanMs, node, 'requests-sent', count, 'requests sent to it, all at once');
    timeline.total(endedAt, node, 'requests-allowed', allowedBy.get(node) ?? 0, 'requests allowed by it');
  }
}
