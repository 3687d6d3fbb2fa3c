/** What the parts of `decide` share: the object, and the decision in the making. */
import type { ChaosDemo, ChaosDemoStatus, Journal, Reason, ScenarioStatus } from '../api/index.ts';
import { ANNOTATIONS } from '../api/index.ts';
import type { Effect } from './effects.ts';
import type { Observed } from './observed.ts';
import type { Scenario, SubjectDefinition } from './subject.ts';

/** The state of the object, in the terms of the table of conditions in the API. */
export type ObjectState =
  | { kind: 'suspended' }
  | { kind: 'pending' | 'refused' | 'running'; reason: Reason; message: string }
  | { kind: 'finished' };

/** What an object needs besides effects: a session with its subject, a run slot that is not free, a person to continue. */
type Need = 'session' | 'slot' | 'user';

/**
 * A decision in the making. Its parts change the draft, and the rest only by `wake`, `request` and `report`. It holds for
 * one run: what a run that has ended wanted is left behind with its context.
 */
export class Context {
  /** With the status as last stored. */
  readonly demo: ChaosDemo;
  readonly observed: Observed;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly subject: SubjectDefinition;
  /** The next status, changed in place. */
  readonly draft: ChaosDemoStatus;
  readonly #effects: Effect[] = [];
  readonly #needs = new Set<Need>();
  #objectState: ObjectState = { kind: 'finished' };
  #wakeAt: number | undefined;
  #scenarios: readonly Scenario[] | undefined;

  constructor(
    { demo, now, observed, subject }: Pick<Context, 'demo' | 'now' | 'observed' | 'subject'>,
    draft = structuredClone(demo.status ?? {}),
  ) {
    this.demo = demo;
    this.now = now;
    this.observed = observed;
    this.subject = subject;
    this.draft = draft;
  }

  /** Whether the deletion of the object was requested. */
  get isDeleting(): boolean {
    return this.demo.metadata.deletionTimestamp !== undefined;
  }

  /** Those of the spec, with what Setup has measured of it. Lazy: most decisions are on objects whose run has ended, or that are suspended. */
  get scenarios(): readonly Scenario[] {
    const { demo, observed, subject } = this;
    this.#scenarios ??= subject.scenarios({ ...demo.spec, ...observed.baseline?.measured });
    return this.#scenarios;
  }

  /** Requested effects, in order. */
  get effects(): readonly Effect[] {
    return this.#effects;
  }

  /** The state reported last; at first: finished. */
  get objectState(): ObjectState {
    return this.#objectState;
  }

  /** The earliest time requested, in milliseconds since the epoch; undefined: none was. */
  get wakeAt(): number | undefined {
    return this.#wakeAt;
  }

  needs(need: Need): boolean {
    return this.#needs.has(need);
  }

  /** Requests a decision at `at` at the latest; if `at` is past, a moment later: no delay would starve others. */
  wake(at: number): void {
    const due = at < this.now ? this.now + OVERDUE_RETRY_MS : at;
    this.#wakeAt = Math.min(this.#wakeAt ?? Number.POSITIVE_INFINITY, due);
  }

  request(need: Effect | Need): void {
    if (typeof need === 'string') this.#needs.add(need);
    else this.#effects.push(need);
  }

  /** Sets the state that the conditions report. */
  report(state: ObjectState): void {
    this.#objectState = state;
  }

  /** Of the same object once its run has ended: with its draft, and nothing that the run wanted. */
  afterRun(): Context {
    return new Context(this, this.draft);
  }
}

/** Delay before checking again for something overdue, in milliseconds. */
const OVERDUE_RETRY_MS = 100;

/** The operator's own notes in the draft; created if missing. */
export function journalOf({ draft }: Context): Journal {
  draft.journal ??= {};
  return draft.journal;
}

/** The value of an annotation of the object. */
export function annotationOf({ demo }: Context, name: keyof typeof ANNOTATIONS): string | undefined {
  return demo.metadata.annotations?.[ANNOTATIONS[name]];
}

/** The entry of a scenario in the draft. */
export function entryOf(context: Context, name: string): ScenarioStatus {
  const entry = context.draft.scenarios?.find((candidate) => candidate.name === name);
  if (!entry) throw new Error(`the status of this run has no scenario ${name}`);
  return entry;
}
