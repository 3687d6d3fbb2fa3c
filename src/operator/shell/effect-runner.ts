/**
 * Performs the effects that `decide` requests: each once, outside the workers, and passes on its finding. It makes no
 * decisions; a failed effect is requested again by another decision.
 */

import type { Logger } from '@chaosdemo/kube-runtime';
import { messageOf } from '../../api/index.ts';
import type { Clock } from '../../engine/clock.ts';
import type { Effect, SubjectEffect } from '../../engine/effects.ts';
import type { Finding } from '../../engine/findings.ts';
import { type Permit, unknownInjection, watchedPermit } from '../../engine/subject.ts';

/** Delay before retrying an effect that this process may not perform, in milliseconds. */
const LEADER_RETRY_MS = 1000;

/** Backoff for a failed effect, in milliseconds: doubling from the first to the longest. */
const RETRY_MS = { first: 1000, longest: 10_000 };

export interface EffectRunnerOptions {
  readonly clock: Clock;
  /** A logger with the context of the effects. */
  readonly log: () => Logger;
  /** Performs one effect and returns its finding. */
  readonly perform: (effect: Effect, permit: Permit, signal: AbortSignal) => Promise<Finding>;
  readonly permitFor: (effect: Effect) => Permit;
  readonly note: (finding: Finding) => void;
  /** Requests another decision. */
  readonly requestDecision: () => void;
}

/** The effects of one session. */
export class EffectRunner {
  readonly #options: EffectRunnerOptions;
  readonly #lifetime = new AbortController();
  readonly #begun = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, { count: number; waits: boolean }>();
  /** Effects in progress that set something up; a restore ends them first. */
  readonly #setups = new Set<Promise<void>>();
  readonly #setupsAbort = new AbortController();
  #released = false;

  constructor(options: EffectRunnerOptions) {
    this.#options = options;
  }

  /** Whether faults are being cut short, so that none may follow. */
  get released(): boolean {
    return this.#released;
  }

  /** Begins every effect that was not begun yet. */
  begin(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (!this.#mayBegin(effect)) continue;
      const permit = this.#options.permitFor(effect);
      const refusal = permit.refusal();
      if (refusal === undefined) this.#start(effect, permit);
      else this.#defer(effect, refusal);
    }
  }

  /** Whether an effect has failed and is not retried yet. */
  isBackingOff({ id }: Effect): boolean {
    return this.#failures.get(id)?.waits === true;
  }

  #mayBegin(effect: Effect): boolean {
    if (this.#lifetime.signal.aborted || this.#begun.has(effect.id)) return false;
    if (this.#failures.get(effect.id)?.waits) return false;
    return !(isSetup(effect) && this.#setupsAbort.signal.aborted);
  }

  #start(effect: Effect, permit: Permit): void {
    if (effect.kind === 'Restore' && effect.release) this.#released = true;
    const done = Promise.resolve().then(() => this.#run(effect, permit));
    this.#begun.set(effect.id, done);
    if (!isSetup(effect)) return;
    this.#setups.add(done);
    void done.finally(() => this.#setups.delete(done));
  }

  /** Handles an effect that must not run now: a fault is missed, all else is retried when this process leads again. */
  #defer(effect: Effect, refusal: string): void {
    const { log, note } = this.#options;
    log().warn({ effect: effect.kind, id: effect.id }, `not performed: ${refusal}`);
    if (effect.kind === 'Inject') return note(missed(effect.id, refusal));
    this.#decideIn(LEADER_RETRY_MS);
  }

  /** Requests another decision after `ms`, unless the session is closed by then. */
  #decideIn(ms: number, before: () => void = () => undefined): void {
    const { clock, requestDecision } = this.#options;
    const due = clock.sleep(ms, this.#lifetime.signal).then(before);
    void due.then(requestDecision, () => undefined);
  }

  async #run(effect: Effect, permit: Permit): Promise<void> {
    const { note, perform } = this.#options;
    const signals = [this.#lifetime.signal, ...(isSetup(effect) ? [this.#setupsAbort.signal] : [])];
    const stop = AbortSignal.any(signals);
    const watched = watchedPermit(permit);
    try {
      if (effect.kind === 'Inject') note({ kind: 'Begun', fault: effect.id });
      if (effect.kind === 'Restore') await this.#abortSetups();
      const finding = await perform(effect, watched, stop);
      this.#failures.delete(effect.id);
      // A check ends with its finding, and a preparation that found a refusal has set nothing up.
      if (finding.kind === 'Admission' || finding.kind === 'PodTemplate') this.#begun.delete(effect.id);
      if (!this.#lifetime.signal.aborted) note(finding);
    } catch (error) {
      if (!stop.aborted) this.#fail(effect, error, watched.granted);
    }
  }

  /** @param granted whether its permit was: only without, nothing was sent for certain */
  #fail(effect: Effect, error: unknown, granted: boolean): void {
    const { requestDecision, log, note } = this.#options;
    const { id, kind } = effect;
    const why = messageOf(error);
    if (kind === 'Inject') {
      // It is not retried with this id. If nothing was sent, it can be planned again.
      const outcome = granted ? 'it may be active' : 'it is planned again';
      log().error({ err: error, effect: kind, id }, `the injection of a fault failed; ${outcome}`);
      return note(granted ? { kind: 'Fault', fault: id, report: unknownInjection(why) } : missed(id, why));
    }
    const count = (this.#failures.get(id)?.count ?? 0) + 1;
    const delay = Math.min(RETRY_MS.first * 2 ** (count - 1), RETRY_MS.longest);
    log().warn({ err: error, effect: kind, id, retryInMs: delay }, 'an effect failed; it will be retried');
    const failure = { count, waits: true };
    this.#failures.set(id, failure);
    this.#begun.delete(id);
    // A delayed check frees its slot for those waiting.
    if (kind === 'Admit') requestDecision();
    this.#decideIn(delay, () => {
      failure.waits = false;
    });
  }

  /** Ends setups in progress at once, before anything is undone. */
  async #abortSetups(): Promise<void> {
    this.#setupsAbort.abort(new Error('the run is being restored'));
    await Promise.allSettled(this.#setups);
  }

  /**
   * As an effect `Restore` with `release`, for a caller that waits for its end, such as a shutdown. @throws as it does
   */
  async release(
    effect: Extract<SubjectEffect, { kind: 'Restore' }>,
    permit: Permit,
    signal: AbortSignal,
  ): Promise<Finding> {
    this.#released = true;
    await this.#abortSetups();
    const stop = AbortSignal.any([signal, this.#lifetime.signal]);
    return await this.#options.perform(effect, permit, stop);
  }

  /** Ends effects in progress and resolves when they have ended. */
  async close(): Promise<void> {
    this.#lifetime.abort(new Error('the session was closed'));
    await Promise.allSettled(this.#begun.values());
  }
}

function isSetup({ kind }: Effect): boolean {
  return kind === 'MeasureBaseline' || kind === 'Prepare';
}

/** Not injected, and nothing was sent. */
function missed(fault: string, message: string): Finding {
  return { kind: 'Fault', fault, report: { missed: true, message, evidence: [] } };
}
