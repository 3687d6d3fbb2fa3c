/** What touches the simulated service for one run. */
import { RULES_PROFILE } from '../../src/api/index.ts';
import type { Activity, SubjectEffect } from '../../src/engine/effects.ts';
import type { Finding } from '../../src/engine/findings.ts';
import type { HealthSnapshot } from '../../src/engine/health.ts';
import type { FaultReport, InvariantReading } from '../../src/engine/observed.ts';
import type {
  AdmissionRequest,
  Emit,
  Permit,
  RecordedHistory,
  SubjectDriver,
} from '../../src/engine/subject.ts';
import type { Diagnosis } from '../../src/evidence/index.ts';
import type { ProcessClock } from './process-clock.ts';
import type { SimulatedEvent } from './simulated-subject.ts';
import type { BuggyMoment, SimulatedTarget } from './simulated-target.ts';

/** Time between two looks whether the service may still be touched, and between two samples. */
const LOOK_AGAIN_MS = 5000;
const SAMPLE_MS = 500;
/** How long a restore waits for the service to work. */
const RESTORE_MS = 5000;

export class SimulatedDriver implements SubjectDriver {
  readonly #target: SimulatedTarget;
  readonly #clock: ProcessClock;
  readonly #request: AdmissionRequest;
  readonly #reports = new Map<string, FaultReport>();
  /** By the id of the fault: what was recorded, and not taken yet. */
  readonly #histories = new Map<string, SimulatedEvent[]>();
  readonly #ended = new AbortController();
  readonly ended = this.#ended.signal;
  #lookedHealthy = false;

  constructor(target: SimulatedTarget, clock: ProcessClock, request: AdmissionRequest) {
    this.#target = target;
    this.#clock = clock;
    this.#request = request;
    target.open += 1;
    target.drivers.add(this);
  }

  /** Its thread ends: nothing is heard of it any more, and it does nothing. */
  die(): void {
    this.#ended.abort(new Error('the thread was ended'));
  }

  async perform(effect: SubjectEffect, permit: Permit, signal: AbortSignal): Promise<Finding> {
    const { failing, performed } = this.#target;
    const fails = failing[effect.kind] ?? 0;
    if (fails > 0) {
      failing[effect.kind] = fails - 1;
      throw new Error('no response from the API server');
    }
    performed.push(effect);
    const finding = await this.#act(effect, permit, AbortSignal.any([signal, this.ended]));
    this.ended.throwIfAborted();
    this.#throwIfBuggy(effect.kind);
    return finding;
  }

  #throwIfBuggy(moment: BuggyMoment): void {
    const { throwing } = this.#target;
    const bugs = throwing[moment] ?? 0;
    if (bugs === 0) return;
    throwing[moment] = bugs - 1;
    throw new TypeError('a listener failed');
  }

  async #act(effect: SubjectEffect, permit: Permit, signal: AbortSignal): Promise<Finding> {
    const { behaviour } = this.#target;
    const { effectMs } = behaviour;
    switch (effect.kind) {
      case 'MeasureBaseline':
        await this.#clock.sleep(effectMs, signal);
        return {
          kind: 'Baseline',
          outcome: behaviour.losesAnyway
            ? { ok: false, violated: true, message: 'lost 3 requests without any fault' }
            : { ok: true, message: 'measured' },
        };
      case 'Prepare': {
        const { fault, fixture } = effect;
        await this.#clock.sleep(effectMs, signal);
        this.#histories.set(fault, [{ preparedAt: this.#clock.now() }]);
        // A forged run number may give a later fault the id of an earlier one.
        this.#target.readings.delete(this.#nameOf(fault));
        const usableUntil = this.#clock.now() + behaviour.usableMs;
        const marker = `stalls/${this.#target.stalls}`;
        return { kind: 'Prepared', fault, prepared: { fixture, usableUntil, marker, message: 'ready' } };
      }
      case 'Inject':
        return await this.#inject(effect, permit, signal);
      case 'Inquire': {
        await this.#clock.sleep(effectMs, signal);
        const orphan = effect.marker === `stalls/${this.#target.stalls}` ? 'NotInjected' : 'Injected';
        return { kind: 'Orphan', fault: effect.fault, orphan };
      }
      case 'Diagnose':
        return await this.#diagnose(effect, signal);
      case 'Recover':
        return await this.#recover(effect.fault, signal);
      case 'Restore':
        return await this.#restore(effect, signal);
      default:
        return effect satisfies never;
    }
  }

  async runActivity(activity: Activity, emit: Emit, signal: AbortSignal): Promise<void> {
    const { carriedOn } = this.#target;
    carriedOn.set(activity, this.#clock);
    try {
      await this.#doUntilAborted(activity, emit, AbortSignal.any([signal, this.ended]));
      if (!signal.aborted) this.ended.throwIfAborted();
    } finally {
      carriedOn.delete(activity);
    }
  }

  history(fault: string): RecordedHistory | undefined {
    const events = this.#histories.get(fault);
    return (
      events && {
        take: () => events.splice(0).map((event) => JSON.stringify(event)),
        release: () => {
          this.#histories.delete(fault);
          this.#target.releasedHistories.push(fault);
        },
      }
    );
  }

  async close(): Promise<void> {
    const { closeMs } = this.#target.behaviour;
    if (closeMs > 0) await this.#clock.sleep(closeMs, new AbortController().signal);
    this.#target.open -= 1;
    this.#target.drivers.delete(this);
  }

  async #doUntilAborted(activity: Activity, emit: Emit, signal: AbortSignal): Promise<void> {
    switch (activity.kind) {
      case 'PollHealth':
        return await this.#every(activity, activity.intervalMs, () => emit(this.#look()), signal);
      case 'RecheckPreconditions':
        return await this.#every(activity, LOOK_AGAIN_MS, () => emit(this.#checkPreconditions()), signal);
      case 'Watch':
        return await this.#every(
          activity,
          SAMPLE_MS,
          () => emit(this.#sample(activity.fault, activity.scenario)),
          signal,
        );
      case 'AwaitEnd':
        await this.#awaitEnd(activity.fault, emit, signal);
        return this.#throwIfBuggy(activity.kind);
      case 'Load':
        return await this.#every(activity, 3_600_000, () => undefined, signal);
      default:
        return activity satisfies never;
    }
  }

  async #every({ kind }: Activity, ms: number, act: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      act();
      this.#throwIfBuggy(kind);
      await this.#clock.sleep(ms, signal).catch(() => undefined);
    }
  }

  #look(): Finding {
    const { healthy, nodes } = this.#target;
    this.#lookedHealthy = healthy;
    const now = this.#clock.now();
    const snapshot: HealthSnapshot = {
      pods: nodes.map((name) => ({ name, state: healthy ? 'ready' : 'stale' })),
      dependencies: [{ name: 'store', connected: healthy }],
      hasIssues: !healthy,
      issues: healthy ? [] : ['a is stale'],
      lastUpdated: now,
      validUntil: now + 8000,
    };
    return { kind: 'Health', snapshot };
  }

  #checkPreconditions(): Finding {
    const { admission, gone } = this.#target;
    return { kind: 'PreconditionCheck', admission, gone: [...gone] };
  }

  /** Faults of two objects may have the same id. */
  #nameOf(fault: string): string {
    return `${this.#request.name} ${fault}`;
  }

  #sample(fault: string, scenario: string): Finding {
    const { behaviour, readings } = this.#target;
    const report = this.#reports.get(fault);
    const stall = this.#isStall(scenario);
    const breaks = stall ? behaviour.queues && behaviour.stallBites : behaviour.loses;
    const broken = breaks && report?.startedAt !== undefined;
    const name = this.#nameOf(fault);
    const before = readings.get(name);
    const now = this.#clock.now();
    this.#histories.get(fault)?.push({ sampledAt: now });
    const bound = stall ? 5 : 10;
    const measure = stall ? 'queued' : 'lost';
    const value = broken ? bound * 2 : (before?.measures[measure] ?? 0);
    // A surge is over when it is looked at; what it broke, it broke until then.
    const brokenAt = before?.brokenAt ?? (broken ? Math.min(now, report.endedAt ?? now) : undefined);
    const end = report?.endedAt === undefined ? Infinity : report.endedAt + this.#settleMs(scenario);
    const reading: InvariantReading = {
      measures: { [measure]: value },
      bounds: { [measure]: bound },
      unit: 'requests',
      summary: stall ? `${value} > ${bound}` : `${value}/${bound}`,
      ...(brokenAt === undefined ? {} : { brokenAt, detectedAt: before?.detectedAt ?? now }),
      watchedUntil: now,
      complete: behaviour.watchedToEnd && now >= end,
      shortfalls: behaviour.shortfalls,
      // Grows with every look, as real evidence does.
      evidence: [`watched until ${now}`],
    };
    readings.set(name, reading);
    return { kind: 'Reading', fault, reading };
  }

  async #awaitEnd(fault: string, emit: Emit, signal: AbortSignal): Promise<void> {
    for (;;) {
      const left = this.#target.stalledUntil - this.#clock.monotonic();
      if (left <= 0) break;
      await this.#clock.sleep(Math.min(left, SAMPLE_MS), signal);
    }
    const report = this.#reports.get(fault);
    if (!report) return;
    this.#update(fault, { ...report, endedAt: this.#clock.now() }, emit);
  }

  #update(fault: string, report: FaultReport, emit: Emit): void {
    this.#reports.set(fault, report);
    emit({ kind: 'Fault', fault, report });
  }

  async #inject(
    { id, scenario, until }: Extract<SubjectEffect, { kind: 'Inject' }>,
    permit: Permit,
    signal: AbortSignal,
  ): Promise<Finding> {
    const { effectMs, heedsAbort, stallBites } = this.#target.behaviour;
    const healthy = this.#lookedHealthy;
    // Connecting takes a while; what was allowed then may not be any more.
    await this.#clock.sleep(effectMs / 2, heedsAbort ? signal : new AbortController().signal);
    this.ended.throwIfAborted();
    const refusal = permit.refusal();
    if (refusal !== undefined) {
      return { kind: 'Fault', fault: id, report: { missed: true, message: refusal, evidence: [] } };
    }
    const startedAt = this.#clock.now();
    const owner = `${this.#request.namespace}/${this.#request.name}`;
    this.#target.injected.push({ id, at: startedAt, healthy, scenario, owner });
    const stall = this.#isStall(scenario);
    if (stall) {
      this.#target.stalls += 1;
      if (stallBites) this.#target.stalledUntil = this.#clock.monotonic() + until - startedAt;
    }
    await this.#clock.sleep(effectMs / 2, signal);
    const proof = stall && !stallBites ? 'Mismatch' : 'Confirmed';
    const over = !stall || !stallBites ? { endedAt: this.#clock.now() } : {};
    const message = stall ? `the stall is ${proof}` : 'sent';
    const report: FaultReport = { startedAt, ...over, proof, message, evidence: [] };
    this.#reports.set(id, report);
    this.#histories.get(id)?.push({ startedAt });
    return { kind: 'Fault', fault: id, report };
  }

  async #recover(fault: string, signal: AbortSignal): Promise<Finding> {
    const { effectMs, readable } = this.#target.behaviour;
    await this.#clock.sleep(Math.max(effectMs, this.#target.stalledUntil - this.#clock.monotonic()), signal);
    const now = this.#clock.now();
    this.#histories.get(fault)?.push({ recoveredAt: now });
    const seen = readable ? { restedAt: now, measures: { abandoned: 0 } } : {};
    return { kind: 'Recovery', fault, report: { workedAt: now, message: 'ok', ...seen } };
  }

  async #restore(
    { id, release }: Extract<SubjectEffect, { kind: 'Restore' }>,
    signal: AbortSignal,
  ): Promise<Finding> {
    const target = this.#target;
    if (release && target.behaviour.releases)
      target.stalledUntil = Math.min(target.stalledUntil, this.#clock.monotonic());
    const left = Math.min(RESTORE_MS, target.stalledUntil - this.#clock.monotonic());
    await this.#clock.sleep(Math.max(target.behaviour.effectMs, left), signal);
    const ok = !target.isStalled;
    const message = ok ? 'Restored' : 'not restored';
    return { kind: 'Restored', effect: id, restored: { ok, faultOver: ok, message } };
  }

  async #diagnose(
    { fault, profile, scenario }: Extract<SubjectEffect, { kind: 'Diagnose' }>,
    signal: AbortSignal,
  ): Promise<Finding> {
    const { effectMs, model, modelMs } = this.#target.behaviour;
    const isRules = profile === RULES_PROFILE;
    await this.#clock.sleep(isRules ? effectMs : modelMs, signal);
    if (!isRules && model === 'hangs') await new Promise(() => undefined);
    const message = `profile "${profile}" failed: out of words`;
    if (!isRules && model === 'fails') return { kind: 'Diagnosis', fault, profile, report: { message } };
    const diagnosis: Diagnosis = {
      scenario,
      class: 'requests-held-up',
      component: 'a',
      chain: [{ text: 'requests wait', evidence: ['s1'] }],
      alternatives: [],
      action: 'wait',
      recommendation: 'Wait.',
      confidence: 90,
      provider: profile,
      profile,
      promptVersion: 'v1',
      evidenceVersion: 'v1',
    };
    return {
      kind: 'Diagnosis',
      fault,
      profile,
      report: { diagnosis, message: 'explained' },
    };
  }

  #isStall(scenario: string): boolean {
    return this.#request.spec.scenarios.find(({ name }) => name === scenario)?.type === 'Stall';
  }

  #settleMs(scenario: string): number {
    return this.#isStall(scenario) ? 5000 : 2000;
  }
}
