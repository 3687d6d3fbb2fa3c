/**
 * State of one object between decisions: its observations, and, once it is admitted, the driver of its subject and the
 * lock on what only one run may use. It performs effects and runs activities; it makes no decisions.
 */

import { endsWithin } from '@chaosdemo/kube-runtime';
import type { ChaosDemo, ChaosDemoStatus } from '../../api/index.ts';
import { INJECTION_TIMEOUT_MS } from '../../engine/chaos-stage.ts';
import type { Clock } from '../../engine/clock.ts';
import type { Activity, Effect } from '../../engine/effects.ts';
import { isPossiblyActive, isRunActive } from '../../engine/fault-times.ts';
import { callsForDecision, type Finding, record } from '../../engine/findings.ts';
import { announcement, nothingObserved, type Observed } from '../../engine/observed.ts';
import {
  type AdmissionRequest,
  type Admitted,
  type Permit,
  REFUSALS,
  type RecordedHistory,
} from '../../engine/subject.ts';
import { type Logger, loggerFor } from '../log.ts';
import { ActivityRunner } from './activity-runner.ts';
import { EffectRunner } from './effect-runner.ts';
import type { ConnectedSubject } from './ports.ts';

/** Restart delay of an activity that ended by an error, in milliseconds. */
const ACTIVITY_RETRY_MS = 1000;

/** Retry delay of an unproven release, in milliseconds. */
const RELEASE_RETRY_MS = 1000;

/** How long effects and activities may take to end after an abort, and then their resources, in milliseconds. */
const END_TIMEOUT_MS = 5000;

export interface SessionOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly subject: ConnectedSubject;
  readonly demo: ChaosDemo;
  /** Whether the term of leadership in which this session was made still leads. */
  readonly leads: () => boolean;
  /** Whether that term has not lost the lead: active work may still be ended. */
  readonly hasLead: () => boolean;
  /** Called whenever an observation may change the decision. */
  readonly onChange: () => void;
  /** Called when the driver has ended by itself: nothing more comes of this session. */
  readonly onLost: () => void;
}

type Opened = NonNullable<Admitted['opened']>;

/** Per-object runtime state: observations, driver and lock. */
export class Session {
  readonly #options: SessionOptions;
  readonly #effects: EffectRunner;
  readonly #activities: ActivityRunner;
  readonly #lifetime = new AbortController();
  #demo: ChaosDemo;
  #observed: Observed;
  #opened: Opened | undefined;
  #admitting = false;
  /** Whether the lock is kept when this session is closed: it may belong to the process that leads now. */
  #keepsLock = false;
  /** Generation of the spec for which the driver was opened. */
  #openedFor: number | undefined;

  constructor(options: SessionOptions) {
    const { clock, demo, onChange } = options;
    this.#options = options;
    this.#demo = demo;
    this.#observed = nothingObserved(clock.now());
    this.#effects = new EffectRunner({
      clock,
      log: () => this.#log(),
      perform: (effect, permit, signal) => this.#perform(effect, permit, signal),
      permitFor: (effect) => ({ refusal: () => this.#refusal(effect) }),
      note: (finding) => this.#note(finding),
      requestDecision: onChange,
    });
    this.#activities = new ActivityRunner(
      (activity, signal) => this.#runActivity(activity, signal),
      (activity, error) => this.#scheduleRestart(activity, error),
    );
  }

  /** The object as this session last knew it. */
  get demo(): ChaosDemo {
    return this.#demo;
  }

  /** All that was seen so far. */
  get observed(): Observed {
    return this.#observed;
  }

  /** Whether there is a driver. */
  get isOpen(): boolean {
    return this.#opened !== undefined;
  }

  /** Whether the driver was opened for another version of the spec. */
  get isOutdated(): boolean {
    return this.#openedFor !== undefined && this.#openedFor !== this.#demo.metadata.generation;
  }

  /** The history of a fault, as long as the subject is open. */
  history(fault: string): RecordedHistory | undefined {
    return this.#opened?.driver.history?.(fault);
  }

  /** Takes a newer version of the object. */
  update(demo: ChaosDemo): void {
    this.#demo = demo;
  }

  /** Remembers the faults that this process is about to announce by storing `status`. */
  announce(before: ChaosDemoStatus | undefined, status: ChaosDemoStatus): void {
    for (const { fault } of status.scenarios ?? []) {
      if (!fault || before?.scenarios?.some((entry) => entry.fault?.id === fault.id)) continue;
      this.#note({ kind: 'Announced', announcement: announcement(fault) });
    }
  }

  /**
   * Begins every effect that was not begun yet, if there is a driver for it; findings are reported through `onChange`.
   */
  perform(effects: readonly Effect[]): void {
    this.#effects.begin(effects.filter((effect) => this.#canPerform(effect)));
  }

  /** Whether one of these effects has failed and is not retried yet. */
  isBackingOff(effects: readonly Effect[]): boolean {
    return effects.some((effect) => this.#effects.isBackingOff(effect));
  }

  /** Starts missing activities and stops those not listed. */
  converge(activities: readonly Activity[]): void {
    this.#activities.converge(this.#opened ? activities : []);
  }

  /**
   * Ends our faults now, on shutdown or deletion of the object; resolves when no fault is active, `signal` has aborted,
   * or the lead is lost: then active faults belong to another process.
   */
  async release(signal: AbortSignal): Promise<void> {
    if (!this.#opened) return;
    const stop = AbortSignal.any([signal, this.#lifetime.signal]);
    const effect = { kind: 'Restore', id: 'release', fixtures: [], release: true } as const;
    // Outside of a decision's effects: also while this process shuts down.
    const permit = { refusal: () => (this.#options.hasLead() ? undefined : REFUSALS.notLeading) };
    while (!stop.aborted && this.#options.hasLead()) {
      try {
        const finding = await this.#effects.release(effect, permit, stop);
        const restored = finding.kind === 'Restored' ? finding.restored : undefined;
        this.#log().info({ ok: restored?.ok }, `released: ${restored?.message ?? 'no finding'}`);
        if (restored?.faultOver) return;
        await this.#options.clock.sleep(RELEASE_RETRY_MS, stop);
      } catch (error) {
        this.#log().warn({ err: error }, 'could not prove the release; a fault ends automatically');
        await this.#options.clock.sleep(RELEASE_RETRY_MS, stop).catch(() => undefined);
      }
    }
  }

  /** Ends everything of this session and releases the lock, unless it is to be kept. A fault stays as it is. */
  async close(keepLock: boolean): Promise<void> {
    this.#keepsLock = keepLock;
    const { clock, subject } = this.#options;
    this.#lifetime.abort(new Error('the session was closed'));
    const ended = Promise.all([this.#effects.close(), this.#activities.close()]);
    if (!(await endsWithin(clock, END_TIMEOUT_MS, ended))) {
      this.#log().error({ waitedMs: END_TIMEOUT_MS }, 'effects or activities ignore that they have to end');
    }
    const opened = this.#opened;
    this.#opened = undefined;
    const closeSubject = async (): Promise<void> => {
      if (opened) await this.#dispose(opened, keepLock);
      await this.#orLog(subject.connector.forget(this.#demo.metadata.uid, keepLock));
    };
    if (!(await endsWithin(clock, END_TIMEOUT_MS, closeSubject()))) {
      this.#log().error(
        { waitedMs: END_TIMEOUT_MS },
        'connections or the lock do not close; left to themselves',
      );
    }
  }

  #canPerform({ kind }: Effect): boolean {
    if (kind === 'FindPodTemplate') return true;
    // A driver that is open or opening must be closed before another is opened.
    return kind === 'Admit' ? !this.#opened && !this.#admitting : this.#opened !== undefined;
  }

  async #perform(effect: Effect, permit: Permit, signal: AbortSignal): Promise<Finding> {
    if (effect.kind === 'Admit') return await this.#admit(effect.mustUndo, signal);
    if (effect.kind === 'FindPodTemplate') return await this.#findPodTemplate(signal);
    return await this.#driver.perform(effect, permit, signal);
  }

  async #admit(mustUndo: boolean, signal: AbortSignal): Promise<Finding> {
    const { clock, subject } = this.#options;
    const request = admissionRequest(this.#demo, mustUndo, clock.now());
    this.#admitting = true;
    const { admission, opened } = await subject.connector.admit(request, signal).finally(() => {
      this.#admitting = false;
    });
    if (opened && this.#lifetime.signal.aborted) {
      await this.#dispose(opened, this.#keepsLock);
      throw signal.reason;
    }
    if (opened) {
      this.#opened = opened;
      this.#openedFor = request.generation;
      opened.driver.ended?.addEventListener('abort', this.#options.onLost, { signal: this.#lifetime.signal });
    }
    const { generation } = request;
    return { kind: 'Admission', admission, generation, at: clock.now(), target: opened?.target };
  }

  async #findPodTemplate(signal: AbortSignal): Promise<Finding> {
    const { clock, subject } = this.#options;
    const { metadata, spec } = this.#demo;
    const { generation, namespace } = metadata;
    const podTemplate = await subject.connector.findPodTemplate(namespace, spec, signal);
    return { kind: 'PodTemplate', generation, at: clock.now(), podTemplate };
  }

  async #runActivity(activity: Activity, stop: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([stop, this.#lifetime.signal]);
    const emit = (finding: Finding): void => {
      if (!signal.aborted) this.#note(finding);
    };
    await this.#driver.runActivity(activity, emit, signal);
  }

  #scheduleRestart(activity: Activity, error: unknown): void {
    const { clock, onChange } = this.#options;
    if (this.#lifetime.signal.aborted) return;
    this.#log().error({ err: error, activity: activity.kind }, 'an activity failed; it is started again');
    void clock.sleep(ACTIVITY_RETRY_MS, this.#lifetime.signal).then(onChange, () => undefined);
  }

  get #driver(): Opened['driver'] {
    if (!this.#opened) throw new Error('the subject is not open');
    return this.#opened.driver;
  }

  /**
   * Why the command of an effect may not be sent now; undefined: it may. A process that was frozen must not act on its
   * earlier decision, so this checks the clocks, the term of leadership and the lock right before the command.
   */
  #refusal(effect: Effect): string | undefined {
    const { clock, leads } = this.#options;
    if (!leads()) return REFUSALS.notLeading;
    if (effect.kind !== 'Inject') return undefined;
    if (this.#effects.released) return REFUSALS.restoring;
    const { id, plannedAt, until } = effect;
    const now = clock.now();
    // Connecting may take a while once the injection has begun.
    const hasBegun = this.#observed.begun.has(id);
    const isLate = !hasBegun && now > plannedAt + INJECTION_TIMEOUT_MS;
    if (now >= until || isLate) return REFUSALS.tooLate;
    // It was healthy at the decision, and storing the decision takes a while.
    if (!hasBegun && this.#observed.health?.hasIssues === true) return REFUSALS.unhealthy;
    return this.#opened?.lock?.isHeld() ? undefined : REFUSALS.lockLost;
  }

  #note(found: Finding): void {
    if (this.#lifetime.signal.aborted) return;
    const finding = this.#ignoreRegainedPermission(found);
    const before = this.#observed;
    this.#observed = record(before, finding);
    if (callsForDecision(before, finding)) this.#options.onChange();
  }

  /** Without a lock this session can only undo things, even if permission was regained since. */
  #ignoreRegainedPermission(finding: Finding): Finding {
    if (finding.kind !== 'PreconditionCheck' || !this.#opened || this.#opened.lock) return finding;
    const { admission: _, ...rest } = finding;
    return rest;
  }

  async #dispose({ driver, lock }: Opened, keepLock: boolean): Promise<void> {
    await this.#orLog(driver.close());
    await this.#orLog(Promise.resolve(lock?.release(keepLock)));
  }

  async #orLog(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#log().error({ err: error }, 'closing a session: a part of it could not be closed');
    }
  }

  #log(): Logger {
    return loggerFor(this.#options.logger, this.#demo);
  }
}

function admissionRequest(demo: ChaosDemo, mustUndo: boolean, now: number): AdmissionRequest {
  const { metadata, spec, status } = demo;
  const { generation, name, namespace, uid } = metadata;
  const activeFaults = (status?.scenarios ?? []).flatMap(({ fault, type }) =>
    fault && isPossiblyActive(fault, now) ? [{ ...fault, type }] : [],
  );
  const toBegin = !isRunActive(status) && !mustUndo;
  return { name, namespace, uid, generation, spec, activeFaults, toBegin, mustUndo };
}
