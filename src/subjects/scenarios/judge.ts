/** Judges a history as it grows, by the checkers of its scenario; the same in a run and from a file. */
import { type FaultApi, type Measures, type ScenarioSpec, unitOf } from '../../api/index.ts';
import { decidingOf } from '../../engine/judgement.ts';
import type { InvariantReading } from '../../engine/observed.ts';
import { type CheckedBy, Checks, type Code, compose, type Finding } from '../checkers/checker.ts';
import { finishedAt, type Seen } from '../checkers/seen.ts';
import type { HistoryEvent } from '../history/events.ts';
import type { History } from '../history/history.ts';
import type { Setup } from '../history/setup.ts';
import type { PodsSpec } from '../spec/pods-schema.ts';
import type { Judged, ScenarioPlan } from './scenario-plan.ts';
import type { SeenEvidence } from './timeline.ts';

export type Findings = ReadonlyMap<string, Finding>;

/** A reading without words. */
export interface CodedReading extends Omit<InvariantReading, 'evidence' | 'figure' | 'shortfalls' | 'unit'> {
  readonly figure?: Code | undefined;
  readonly shortfalls: readonly Code[];
  readonly evidence: readonly Code[];
}

/** The parts of a reading that all findings give together. */
export function composed(findings: Findings): Omit<CodedReading, 'summary' | 'watchedUntil'> {
  const { brokenAt, detectedAt, evidence, figures, shortfalls, whenDetected } = compose(findings);
  return {
    ...figures,
    ...(detectedAt !== undefined && { detectedAt, brokenAt: brokenAt ?? detectedAt }),
    ...(whenDetected && { whenDetected }),
    shortfalls,
    evidence,
  };
}

/**
 * What findings prove together once all was seen.
 * @param provenAlone whether a violation is shown without any knowledge of the fault
 */
export function proven(seen: Seen, findings: Findings, provenAlone: boolean) {
  const { brokenAt, evidence, figure, figures, isBroken, shortfalls, unproven } = compose(findings);
  const detectedAt = finishedAt(seen);
  const isProven = detectedAt !== undefined && unproven.length === 0;
  const isDetected = detectedAt !== undefined && (provenAlone || (isProven && isBroken));
  const reading = {
    watchedUntil: detectedAt ?? seen.requests.at(-1)?.endedAt ?? 0,
    shortfalls: isDetected ? unproven : shortfalls,
    ...figures,
    figure,
    ...(isDetected && { detectedAt, brokenAt: brokenAt ?? detectedAt, provenAlone }),
    evidence,
  };
  return { brokenAt, isDetected, isProven, reading };
}

/** The summaries of the findings with these names, if they have any. */
export function summariesOf(findings: Findings, words: (code: Code) => string, ...names: string[]): string[] {
  return names.flatMap((name) => findings.get(name)?.summary ?? []).map(words);
}

/** How a scenario judges. */
export interface JudgedBy<S, A> extends CheckedBy<S, A> {
  readonly api: Pick<FaultApi, 'measures'>;
  plan(scenario: ScenarioSpec, part: PodsSpec): ScenarioPlan;
  /** The part of the spec in the setup of a history. */
  partIn(setup: Setup): PodsSpec;
  /** Puts a code into words. */
  readonly words: (code: Code) => string;
  /** The state of the invariant; undefined before the first result. */
  read(state: A, findings: Findings): CodedReading | undefined;
  /** Whether to report a reading after this event, which was just appended: most change nothing. */
  changes(event: HistoryEvent, state: A): boolean;
  /** Whether a violation was detected, as far as that is known without a reading; default: no. */
  isDetected?(state: A): boolean;
  /** The effects of the fault, if they are known; default: there are none. */
  effects?(judge: Judge<A>): Measures;
  /** Draws a history. @param judge that has seen all of it */
  evidence(history: History, judge: Judge<A>): SeenEvidence | undefined;
}

/** An error in the code that judges makes the result unknown, and nothing else fails. */
export class Judge<A = unknown> extends Checks<Judged, A> {
  readonly history: History;
  readonly plan: ScenarioPlan;
  readonly #by: JudgedBy<Judged, A>;
  #last: InvariantReading | undefined;

  /** @param onFailure gets the first error; the result is unknown by then */
  constructor(
    history: History,
    by: JudgedBy<Judged, A>,
    onFailure: (error: unknown) => void = () => undefined,
  ) {
    const { setup } = history;
    const plan = by.plan(setup.scenario, by.partIn(setup));
    super(by, { ...setup, plan }, onFailure);
    this.history = history;
    this.plan = plan;
    this.#by = by;
    history.listen((event) => this.take(event));
  }

  changes(event: HistoryEvent): boolean {
    return this.guard(this, () => this.#by.changes(event, this.state)) ?? false;
  }

  get isDetected(): boolean {
    return this.#by.isDetected?.(this.state) === true;
  }

  /** The effects of the fault, once the subject was seen to work again. */
  recovered(): Measures {
    return this.guard(this, () => this.#by.effects?.(this)) ?? {};
  }

  evidence(): SeenEvidence | undefined {
    return this.#by.evidence(this.history, this);
  }

  get failed(): boolean {
    return this.failures.length > 0;
  }

  /** Undefined before the first result. */
  reading(): InvariantReading | undefined {
    const { api, read, words } = this.#by;
    this.guard(this, () => {
      const found = read(this.state, this.findings());
      this.#last = found && {
        ...found,
        unit: unitOf(decidingOf(found.whenDetected ?? found), api.measures),
        figure: found.figure && words(found.figure),
        shortfalls: found.shortfalls.map(words),
        evidence: found.evidence.map(words),
      };
    });
    if (!this.failed) return this.#last;
    const last = this.#last ?? { measures: {}, unit: '', summary: 'unknown', shortfalls: [], evidence: [] };
    const shortfalls = new Set([...this.failures.map(words), ...last.shortfalls]);
    // Nothing else is missing: what follows is not judged.
    return { ...last, watchedUntil: Number.MAX_SAFE_INTEGER, shortfalls: [...shortfalls] };
  }
}
