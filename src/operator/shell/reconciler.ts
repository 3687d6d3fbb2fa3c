/** One reconcile: decides once on the object and its session's observations, stores the status, then passes it on. */

import type { ReconcileResult } from '@chaosdemo/kube-runtime';
import type { ChaosDemo } from '../../api/index.ts';
import type { Decision } from '../../engine/decide.ts';
import { decide } from '../../engine/decide.ts';
import type { Effect } from '../../engine/effects.ts';
import { activeFault, faultDeadline, isRunActive } from '../../engine/fault-times.ts';
import { nothingObserved } from '../../engine/observed.ts';
import { isTransition } from '../../engine/transition.ts';
import { decideOnUnknown } from '../../engine/unknown-subject.ts';
import { EvidenceKeeper } from '../evidence/evidence-keeper.ts';
import type { Logger } from '../log.ts';
import type { Recorders } from './announce.ts';
import { announceChange, announceDeletion, announceEvidenceLoss } from './announce.ts';
import { Entries, type Entry } from './entries.ts';
import {
  type ConnectedSubject,
  type DemoApi,
  type EvidenceStore,
  type SystemClock,
  subjectOf,
  type Write,
} from './ports.ts';
import { type RunLimits, RunSlots } from './run-slots.ts';
import { NotLeadingError, StatusWriter } from './status-writer.ts';

/** Requeue delay of a process that does not lead now, or no longer. */
const LEADER_RETRY_MS = 1000;

/**
 * Minimum requeue delay in milliseconds if a scheduled wake-up was due and brought nothing. Without a delay, the loop
 * would starve the event it waits for.
 */
const MIN_REQUEUE_MS = 100;

/** How long the release of a fault is ahead of the status that shows it; milliseconds. */
const RELEASE_LEAD_MS = 5;

/** Retry delay for a deleted object whose fault may be active; milliseconds. */
const HELD_RETRY_MS = 10_000;

/** How long the API server may reject the status of a run before others get its lock and its slot; milliseconds. */
const REJECTION_LIMIT_MS = 120_000;

export interface ReconcilerOptions extends RunLimits {
  readonly api: DemoApi;
  readonly evidence: EvidenceStore;
  readonly clock: SystemClock;
  readonly logger: Logger;
  readonly recorders: Recorders;
  readonly subjects: readonly ConnectedSubject[];
  /** Requests another reconcile of a key. */
  readonly enqueue: (key: string) => void;
  /** Whether the term of leadership still leads. */
  readonly leads: () => boolean;
  /** Whether it has not lost the lead: active work may still be ended, as in a graceful shutdown. */
  readonly hasLead: () => boolean;
  readonly killSwitchIsOn: () => boolean;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #writer: StatusWriter;
  readonly #entries: Entries;
  readonly #slots: RunSlots;
  readonly #evidence: EvidenceKeeper;
  #closed = false;

  constructor(options: ReconcilerOptions) {
    const { recorders, clock, enqueue, logger } = options;
    this.#options = options;
    this.#writer = new StatusWriter(options);
    this.#slots = new RunSlots(options, enqueue);
    this.#evidence = new EvidenceKeeper({
      ...options,
      onRefused: (demo, message) => announceEvidenceLoss(recorders, demo, message),
    });
    this.#entries = new Entries({
      ...options,
      onChange: enqueue,
      onDeleted: (demo) => announceDeletion(recorders, logger, demo, clock.now()),
      onEnded: (key) => {
        this.#slots.ended(key);
        enqueue(key);
      },
    });
  }

  /** Runs with an open subject. */
  get activeRuns(): number {
    return this.#entries.open;
  }

  /** Whether no run is active, about to begin or being undone: the clock may follow the wall clock. */
  get isQuiet(): boolean {
    return this.#slots.isEmpty && this.#entries.isIdle;
  }

  /** Objects that wait until fewer runs are active. */
  get waitingRuns(): number {
    return this.#slots.waiting;
  }

  /** Objects with state, and runs whose evidence is in memory. */
  get kept(): number {
    return this.#entries.size + this.#evidence.size;
  }

  /** Gives the runs that are already active their slots, before any other may begin. */
  takeOver(keys: Iterable<string>): void {
    for (const key of keys) {
      if (isRunActive(this.#options.api.read(key)?.status)) this.#slots.acquire(key);
    }
  }

  /** As `Reconcile` of the controller. */
  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    if (this.#closed) return {};
    // Another process may lead by now; the object is then handled there.
    if (!this.#options.leads()) return { requeueAfterMs: LEADER_RETRY_MS };
    if (this.isQuiet) this.#options.clock.follow();
    const cached = this.#options.api.read(key);
    const entry = this.#entries.of(key, cached);
    if (!cached || !entry) {
      this.#evidence.forget(key);
      this.#releaseSlot(key);
      return {};
    }
    try {
      return await this.#advance(entry, this.#entries.newest(entry, cached), signal);
    } catch (error) {
      // It lost the lead between the decision and the write.
      if (error instanceof NotLeadingError) return { requeueAfterMs: LEADER_RETRY_MS };
      throw error;
    } finally {
      this.#entries.removeIfIdle(entry);
    }
  }

  /** As `Entries.closeAll`; nothing is reconciled any more. */
  async close(options: { release: boolean; deadlineMs: number }): Promise<void> {
    this.#closed = true;
    // Observations are lost when sessions are closed.
    const closed = this.#evidence.close(options.release);
    await this.#entries.closeAll(options);
    await closed;
  }

  async #advance(entry: Entry, demo: ChaosDemo, signal: AbortSignal): Promise<ReconcileResult> {
    // Opened for a spec that was changed before its run began: the new one may be about other pods.
    if (entry.session?.isOutdated && !isRunActive(demo.status)) this.#entries.undo(entry);
    const subject = subjectOf(this.#options.subjects, demo.spec);
    let decision: Decision;
    try {
      decision = this.#decide(entry, demo, subject);
    } catch (error) {
      return await this.#handleFailure(entry, demo, error, signal);
    }
    this.#requestSlot(entry, decision);
    if (decision.finalizer) {
      const finalized = await this.#writer.setFinalizer(demo, true, signal);
      if (finalized.state !== 'stored') return await this.#refetch(entry, demo, finalized, signal);
      this.#keep(entry, demo, finalized.demo);
    }
    // What undoes a fault needs no announcement, and does not wait for the API server.
    const releases = decision.effects.filter((effect) => effect.kind === 'Restore' && effect.release);
    entry.session?.perform(releases);
    // The write of the status takes this thread and the API server, and would delay the release by up to 10 ms.
    if (releases.length > 0) await this.#options.clock.sleep(RELEASE_LEAD_MS, signal);
    const before = entry.latest ?? demo;
    let after = before;
    if (isTransition(before.status, decision.status)) {
      entry.session?.announce(before.status, decision.status);
      const write = await this.#writer.apply(before, decision.status, signal);
      if (write.state === 'refused') {
        return await this.#handleFailure(entry, before, write.error, signal, decision.effects);
      }
      if (write.state !== 'stored') return await this.#refetch(entry, before, write, signal);
      after = write.demo;
      this.#stored(entry, before, after);
    } else if (subject && after.status?.run?.completedAt !== undefined) {
      // Its verdict was stored by a write without a response.
      this.#evidence.note(entry.key, after, entry.session, subject.definition);
    }
    this.#passToSession(entry, after, decision, subject);
    return await this.#finish(entry, after, decision, signal);
  }

  #decide(entry: Entry, demo: ChaosDemo, subject: ConnectedSubject | undefined): Decision {
    const now = this.#now();
    const { killSwitchIsOn, subjects } = this.#options;
    if (!subject) {
      const known = subjects.map(({ definition }) => definition.api.member);
      return decideOnUnknown(demo, known, now);
    }
    const observed = {
      ...(entry.session?.observed ?? nothingObserved(now)),
      killSwitch: killSwitchIsOn(),
      noSlotReason: this.#slots.obstacle(entry.key),
    };
    return decide(demo, observed, now, subject.definition);
  }

  /** In the same turn as the decision, which is based on the slots at that time. */
  #requestSlot({ key, session }: Entry, { effects, slot, status }: Decision): void {
    if (slot === 'awaited') this.#slots.enqueue(key);
    if (slot !== 'taken') return;
    // A check that keeps failing must not occupy a slot.
    if (!isRunActive(status) && session?.isBackingOff(effects)) this.#releaseSlot(key);
    else this.#slots.acquire(key);
  }

  /** As soon as nothing that uses resources is left. */
  #releaseSlot(key: string): void {
    if (this.#entries.isEnding(key)) this.#slots.end(key);
    else this.#slots.release(key);
  }

  /** Hands a decision to the session, which exists only if something has to be remembered. */
  #passToSession(
    entry: Entry,
    demo: ChaosDemo,
    { activities, effects, session, slot }: Decision,
    subject: ConnectedSubject | undefined,
  ): void {
    // A session that is still ending requests another decision when it has ended.
    if (session && subject && !this.#entries.isEnding(entry.key)) {
      const open = this.#entries.session(entry, demo, subject);
      open.perform(effects);
      open.converge(activities);
    } else if (demo.metadata.deletionTimestamp) this.#entries.leave(entry);
    else this.#entries.undo(entry);
    if (slot === 'none') this.#releaseSlot(entry.key);
  }

  async #finish(
    entry: Entry,
    demo: ChaosDemo,
    { finalizer, wakeAt }: Pick<Decision, 'finalizer' | 'wakeAt'>,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    // The results of a run are removed before its object is deleted, however long that takes.
    if (demo.metadata.deletionTimestamp && this.#entries.isEnding(entry.key)) return {};
    if (!finalizer) {
      const write = await this.#writer.setFinalizer(demo, false, signal);
      if (write.state === 'refused') throw write.error;
      if (write.state !== 'stored') return await this.#refetch(entry, demo, write, signal);
      this.#keep(entry, demo, write.demo);
    }
    if (wakeAt === undefined) return {};
    const left = wakeAt - this.#options.clock.now();
    return { requeueAfterMs: left > 0 ? left : MIN_REQUEUE_MS };
  }

  /**
   * If no status can be decided on, or the API server does not store it, the controller retries, and nothing begins
   * until then. Undoing does not wait for that, nor does a deleted object without a possibly active fault.
   */
  async #handleFailure(
    entry: Entry,
    demo: ChaosDemo,
    error: unknown,
    signal: AbortSignal,
    effects: readonly Effect[] = [],
  ): Promise<ReconcileResult> {
    entry.session?.perform(effects.filter(({ kind }) => kind === 'Restore'));
    const fault = activeFault(demo.status ?? {}, this.#now());
    if (fault && demo.metadata.deletionTimestamp) {
      // The backoff of the queue would hold the object for longer than its fault.
      this.#options.logger.error(
        { err: error, key: entry.key },
        'a deleted object waits for the end of its fault',
      );
      const left = faultDeadline(fault) - this.#now();
      return { requeueAfterMs: Math.max(MIN_REQUEUE_MS, Math.min(left, HELD_RETRY_MS)) };
    }
    if (fault) throw error;
    if (!demo.metadata.deletionTimestamp) {
      this.#releaseIfRejected(entry);
      throw error;
    }
    this.#entries.leave(entry);
    this.#releaseSlot(entry.key);
    return await this.#finish(entry, demo, { finalizer: false, wakeAt: undefined }, signal);
  }

  /**
   * If the status of a run is rejected for too long, releases its lock and slot; the run continues as after a restart.
   */
  #releaseIfRejected(entry: Entry): void {
    const now = this.#options.clock.monotonic();
    entry.rejectedSince ??= now;
    if (entry.session && now - entry.rejectedSince < REJECTION_LIMIT_MS) return;
    this.#entries.undo(entry);
    this.#releaseSlot(entry.key);
  }

  /**
   * Another client wrote first (for example a person with an annotation): the next decision uses the current object.
   */
  async #refetch(
    entry: Entry,
    demo: ChaosDemo,
    { state }: Write,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    // The cache reports that it is gone or was recreated.
    if (state === 'gone') return {};
    const fetched = await this.#options.api.fetch(demo, signal);
    if (fetched?.metadata.uid !== entry.uid) return {};
    // For example, a policy refuses the write: reading and writing again at once would never end.
    if (fetched.metadata.resourceVersion === demo.metadata.resourceVersion) {
      throw new Error('the API server refused a write, although no other client has written the object');
    }
    this.#entries.keep(entry, fetched);
    return { requeueAfterMs: 0 };
  }

  #keep(entry: Entry, before: ChaosDemo, after: ChaosDemo): void {
    if (after !== before) this.#entries.keep(entry, after);
  }

  #stored(entry: Entry, before: ChaosDemo, after: ChaosDemo): void {
    const { recorders, logger, subjects } = this.#options;
    const { definition } = subjectOf(subjects, after.spec) ?? {};
    delete entry.rejectedSince;
    this.#entries.keep(entry, after);
    if (after.metadata.deletionTimestamp) this.#evidence.forget(entry.key);
    else if (definition) this.#evidence.note(entry.key, after, entry.session, definition);
    announceChange(recorders, logger, after, before.status);
  }

  /** Integer milliseconds: values computed from them go into a status. */
  #now(): number {
    return Math.floor(this.#options.clock.now());
  }
}
