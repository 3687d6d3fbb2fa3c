/** The simulated service itself, and how a process gets at it. What happens to it outlives every process. */
import type { Clock } from '../../demo/clock.ts';
import type { Activity, SubjectEffect } from '../../demo/effects.ts';
import type { Finding } from '../../demo/findings.ts';
import type { HealthSnapshot } from '../../demo/health.ts';
import type { Admission, FaultReport, InvariantReading, Target } from '../../demo/observed.ts';
import type {
  AdmissionRequest,
  Admitted,
  Emit,
  Lock,
  Permit,
  SubjectConnector,
  SubjectDriver,
} from '../../demo/subject.ts';
import type { ProcessClock } from './process-clock.ts';

/** How the service behaves. */
export interface Behaviour {
  /** Whether a stall makes requests queue up beyond the bound. */
  queues: boolean;
  /** Whether a surge loses requests. */
  loses: boolean;
  /** Whether a stall holds anything up at all. */
  stallBites: boolean;
  /** Milliseconds an effect takes. */
  effectMs: number;
  /** How long a fixture is usable, in milliseconds. */
  usableMs: number;
  /** Whether what a fault left can be looked at. */
  readable: boolean;
  shortfalls: string[];
  /** Whether a stall lets itself be released before its time. */
  releases: boolean;
  /** Whether an injection ends when it is told to; a system call that hangs does not. */
  heedsAbort: boolean;
}

const USUAL: Behaviour = {
  queues: true,
  loses: true,
  stallBites: true,
  effectMs: 40,
  usableMs: 60_000,
  readable: true,
  shortfalls: [],
  releases: true,
  heedsAbort: true,
};

/** Time between two looks whether the service may still be touched, and between two samples. */
const LOOK_AGAIN_MS = 5000;
const SAMPLE_MS = 500;
/** Another owner gets the lock when it was not renewed for so long. */
const LOCK_MS = 15_000;
/** How long a restore waits for the service to work. */
const RESTORE_MS = 5000;

/** A fault that was really sent. */
export interface Injection {
  readonly id: string;
  readonly at: number;
  readonly scenario: string;
  /** Whether the last look before it began showed the service healthy. */
  readonly healthy: boolean;
  /** `namespace/name` of the object it was sent for. */
  readonly owner: string;
}

interface HeldLock {
  readonly owner: string;
  /** Renews it as long as it lives. */
  readonly renewer: ProcessClock | undefined;
  leftAt?: number;
}

export class SimulatedTarget {
  healthy = true;
  nodes = ['a'];
  /** Names of pods that were deleted. */
  gone: string[] = [];
  /** Of the pods now, as a look at them would show. */
  podTemplate: string | undefined;
  /** Whether it may be touched, its lock apart. */
  admission: Admission = { state: 'granted' };
  readonly behaviour: Behaviour;
  readonly clock: Clock;
  readonly injected: Injection[] = [];
  readonly performed: SubjectEffect[] = [];
  /** The last reading of each fault. */
  readonly readings = new Map<string, InvariantReading>();
  /** Activities that are going on, and in which process. */
  readonly carriedOn = new Map<Activity, ProcessClock>();
  /** When requests are answered again, by itself. */
  stalledUntil = 0;
  stalls = 0;
  /** Effects that fail before they have done anything: how many of the next of each kind. */
  readonly failing: Partial<Record<SubjectEffect['kind'], number>> = {};
  #lock: HeldLock | undefined;
  /** Drivers that were made and not closed, of processes that live or died. */
  open = 0;
  /** Calls of `admit` under way or over. */
  admissions = 0;

  constructor(clock: Clock, behaviour: Partial<Behaviour> = {}) {
    this.clock = clock;
    this.behaviour = { ...USUAL, ...behaviour };
  }

  /** Activities that are going on, of processes that live. */
  get activities(): Activity[] {
    return [...this.carriedOn].filter(([, { isAlive }]) => isAlive).map(([activity]) => activity);
  }

  get isStalled(): boolean {
    return this.stalledUntil > this.clock.now();
  }

  /** `namespace/name` of who holds the lock; one that nobody renews runs out. */
  get lockedBy(): string | undefined {
    const { owner, renewer } = this.#lock ?? {};
    const endedAt = this.#lock?.leftAt ?? renewer?.diedAt;
    return endedAt !== undefined && this.clock.monotonic() >= endedAt + LOCK_MS ? undefined : owner;
  }

  /** Gives the lock to an owner whose process renews it from now on, if it has one. */
  lockFor(owner: string, renewer?: ProcessClock): Lock {
    const held: HeldLock = { owner, renewer };
    this.#lock = held;
    const end = (): void => {
      held.leftAt ??= this.clock.monotonic();
    };
    return {
      isHeld: () => held.leftAt === undefined && this.lockedBy === owner,
      leave: async () => end(),
      release: async () => {
        // As the lease has it: whoever has the same name has taken it over.
        if (held.leftAt === undefined && this.lockedBy === owner) this.#lock = undefined;
        end();
      },
    };
  }

  /** The way to it for one term of one process. */
  connect(clock: ProcessClock): SubjectConnector {
    return new SimulatedConnector(this, clock);
  }
}

class SimulatedConnector implements SubjectConnector {
  readonly #target: SimulatedTarget;
  readonly #clock: ProcessClock;

  constructor(target: SimulatedTarget, clock: ProcessClock) {
    this.#target = target;
    this.#clock = clock;
  }

  async admit(request: AdmissionRequest, signal: AbortSignal): Promise<Admitted> {
    const target = this.#target;
    target.admissions += 1;
    await this.#clock.sleep(target.behaviour.effectMs, signal);
    const owner = `${request.namespace}/${request.name}`;
    const open = (): Omit<NonNullable<Admitted['opened']>, 'lock'> => ({
      target: this.#describe(),
      driver: new SimulatedDriver(target, this.#clock, request),
    });
    if (target.admission.state !== 'granted') {
      const toUndo = request.mustUndo && target.admission.state === 'refused';
      return { admission: target.admission, ...(toUndo && { opened: open() }) };
    }
    if (target.lockedBy !== undefined && target.lockedBy !== owner) {
      const message = `the target is in use by ${target.lockedBy}`;
      return { admission: { state: 'waiting', reason: 'TargetInUse', message } };
    }
    const lock = target.lockFor(owner, this.#clock);
    return { admission: { state: 'granted' }, opened: { ...open(), lock } };
  }

  async findPodTemplate(): Promise<string | undefined> {
    await this.#clock.sleep(this.#target.behaviour.effectMs, new AbortController().signal);
    return this.#target.podTemplate;
  }

  async forget(): Promise<void> {}

  #describe(): Target {
    const { nodes, podTemplate } = this.#target;
    const pods = nodes.map((name, index) => ({ name: name.slice(0, 253), uid: String(index), imageId: 'i' }));
    return { pods, store: 'store-0', ...(podTemplate === undefined ? {} : { podTemplate }) };
  }
}

class SimulatedDriver implements SubjectDriver {
  readonly #target: SimulatedTarget;
  readonly #clock: ProcessClock;
  readonly #request: AdmissionRequest;
  readonly #reports = new Map<string, FaultReport>();
  #lookedHealthy = false;

  constructor(target: SimulatedTarget, clock: ProcessClock, request: AdmissionRequest) {
    this.#target = target;
    this.#clock = clock;
    this.#request = request;
    target.open += 1;
  }

  async perform(effect: SubjectEffect, permit: Permit, signal: AbortSignal): Promise<Finding> {
    const { behaviour, failing, performed } = this.#target;
    const fails = failing[effect.kind] ?? 0;
    if (fails > 0) {
      failing[effect.kind] = fails - 1;
      throw new Error('no answer from the API server');
    }
    performed.push(effect);
    const { effectMs } = behaviour;
    switch (effect.kind) {
      case 'MeasureBaseline':
        await this.#clock.sleep(effectMs, signal);
        return { kind: 'Baseline', outcome: { ok: true, message: 'measured' } };
      case 'Prepare': {
        await this.#clock.sleep(effectMs, signal);
        const { fault, fixture, sequence } = effect;
        const usableUntil = this.#clock.now() + behaviour.usableMs;
        const marker = `stalls/${this.#target.stalls}`;
        return {
          kind: 'Prepared',
          fault,
          prepared: { fixture, sequence, usableUntil, marker, message: 'ready' },
        };
      }
      case 'Inject':
        return await this.#inject(effect, permit, signal);
      case 'Inquire': {
        await this.#clock.sleep(effectMs, signal);
        const orphan = effect.marker === `stalls/${this.#target.stalls}` ? 'NotInjected' : 'Injected';
        return { kind: 'Orphan', fault: effect.fault, orphan };
      }
      case 'Diagnose':
        await this.#clock.sleep(effectMs, signal);
        return { kind: 'Diagnosis', fault: effect.fault, report: { message: 'no idea' } };
      case 'Recover':
        return await this.#recover(effect.fault, signal);
      case 'Restore':
        return await this.#restore(effect, signal);
      default:
        return effect satisfies never;
    }
  }

  async carryOn(activity: Activity, emit: Emit, signal: AbortSignal): Promise<void> {
    const { carriedOn } = this.#target;
    carriedOn.set(activity, this.#clock);
    try {
      await this.#doUntilAborted(activity, emit, signal);
    } finally {
      carriedOn.delete(activity);
    }
  }

  async close(): Promise<void> {
    this.#target.open -= 1;
  }

  async #doUntilAborted(activity: Activity, emit: Emit, signal: AbortSignal): Promise<void> {
    switch (activity.kind) {
      case 'PollHealth':
        return await this.#every(activity.intervalMs, () => emit(this.#look()), signal);
      case 'LookAgain':
        return await this.#every(LOOK_AGAIN_MS, () => emit(this.#lookAgain()), signal);
      case 'Watch':
        return await this.#every(
          SAMPLE_MS,
          () => emit(this.#sample(activity.fault, activity.scenario)),
          signal,
        );
      case 'AwaitEnd':
        return await this.#awaitEnd(activity.fault, emit, signal);
      case 'Load':
        return await this.#every(3_600_000, () => undefined, signal);
      default:
        return activity satisfies never;
    }
  }

  async #every(ms: number, act: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      act();
      await this.#clock.sleep(ms, signal).catch(() => undefined);
    }
  }

  #look(): Finding {
    const { healthy, nodes } = this.#target;
    this.#lookedHealthy = healthy;
    const now = this.#clock.now();
    const snapshot: HealthSnapshot = {
      nodes: nodes.map((id) => ({ id, address: '10.0.0.1', state: healthy ? 'ready' : 'stale' })),
      dependencies: [{ name: 'store', connected: healthy }],
      hasIssues: !healthy,
      issues: healthy ? [] : ['a is stale'],
      lastUpdated: now,
      validUntil: now + 8000,
    };
    return { kind: 'Health', snapshot };
  }

  #lookAgain(): Finding {
    const { admission, gone } = this.#target;
    return { kind: 'SecondLook', admission, gone: [...gone] };
  }

  #sample(fault: string, scenario: string): Finding {
    const { behaviour, readings } = this.#target;
    const report = this.#reports.get(fault);
    const stall = this.#isStall(scenario);
    const breaks = stall ? behaviour.queues && behaviour.stallBites : behaviour.loses;
    const broken = breaks && report?.startedAt !== undefined;
    const before = readings.get(fault);
    const now = this.#clock.now();
    const bound = stall ? 5 : 10;
    const value = broken ? bound * 2 : (before?.measures[0]?.value ?? 0);
    const brokenAt = before?.brokenAt ?? (broken ? now : undefined);
    const end = report?.endedAt === undefined ? Infinity : report.endedAt + this.#settleMs(scenario);
    const reading: InvariantReading = {
      measures: [{ name: stall ? 'queued' : 'lost', value, bound, unit: 'requests' }],
      summary: stall ? `${value} > ${bound}` : `${value}/${bound}`,
      ...(brokenAt === undefined ? {} : { brokenAt, detectedAt: before?.detectedAt ?? brokenAt }),
      watchedUntil: now,
      complete: now >= end,
      shortfalls: behaviour.shortfalls,
      // Grows with every look, as real evidence does.
      evidence: [`watched until ${now}`],
    };
    readings.set(fault, reading);
    return { kind: 'Reading', fault, reading };
  }

  async #awaitEnd(fault: string, emit: Emit, signal: AbortSignal): Promise<void> {
    for (;;) {
      const left = this.#target.stalledUntil - this.#clock.now();
      if (left <= 0) break;
      await this.#clock.sleep(Math.min(left, SAMPLE_MS), signal);
    }
    const report = this.#reports.get(fault);
    if (!report) return;
    this.#tell(fault, { ...report, endedAt: this.#clock.now() }, emit);
  }

  #tell(fault: string, report: FaultReport, emit: Emit): void {
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
      this.#target.stalledUntil = until;
    }
    await this.#clock.sleep(effectMs / 2, signal);
    const proof = stall && !stallBites ? 'Mismatch' : 'Confirmed';
    const over = !stall || !stallBites ? { endedAt: this.#clock.now() } : {};
    const message = stall ? `the stall is ${proof}` : 'sent';
    const report: FaultReport = { startedAt, ...over, proof, message, evidence: [] };
    this.#reports.set(id, report);
    return { kind: 'Fault', fault: id, report };
  }

  async #recover(fault: string, signal: AbortSignal): Promise<Finding> {
    const { effectMs, readable } = this.#target.behaviour;
    await this.#clock.sleep(Math.max(effectMs, this.#target.stalledUntil - this.#clock.now()), signal);
    const now = this.#clock.now();
    const measures = [{ name: 'abandoned', value: 0, unit: 'requests' }];
    const seen = readable ? { restedAt: now, measures } : { measures: [] };
    return { kind: 'Recovery', fault, report: { workedAt: now, message: 'ok', ...seen } };
  }

  async #restore(
    { id, release }: Extract<SubjectEffect, { kind: 'Restore' }>,
    signal: AbortSignal,
  ): Promise<Finding> {
    const target = this.#target;
    if (release && target.behaviour.releases)
      target.stalledUntil = Math.min(target.stalledUntil, this.#clock.now());
    const left = Math.min(RESTORE_MS, target.stalledUntil - this.#clock.now());
    await this.#clock.sleep(Math.max(target.behaviour.effectMs, left), signal);
    const ok = !target.isStalled;
    const message = ok ? 'Restored' : 'not restored';
    return { kind: 'Restored', effect: id, restored: { ok, faultOver: ok, message } };
  }

  #isStall(scenario: string): boolean {
    return this.#request.spec.scenarios.find(({ name }) => name === scenario)?.type === 'Stall';
  }

  #settleMs(scenario: string): number {
    return this.#isStall(scenario) ? 5000 : 2000;
  }
}
