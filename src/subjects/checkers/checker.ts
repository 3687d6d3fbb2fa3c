/**
 * A scenario folds its history into one state, and each of its checkers makes a finding of that: about what callers got,
 * in codes and figures. Checkers compose by name. Pure.
 */
import { type Measures, messageOf } from '../../api/index.ts';
import type { HistoryEvent } from '../history/events.ts';

/** An observation without words: the scenario puts them on, and the names of its fields. */
export interface Code {
  readonly code: string;
}

/** @param figures whatever the words need */
export function code<K extends string, F extends object = object>(name: K, figures?: F) {
  return { ...figures, code: name } as F & { readonly code: K };
}

/** The codes that checkers find. */
export type CodeOf<K> = K extends { finding(state: never): infer F }
  ? F extends Finding<infer C>
    ? C
    : never
  : never;

/** Its first measure decides. */
export interface Finding<C extends Code = Code> extends Measures {
  readonly isBroken?: boolean;
  /** If the invariant is violated: since when, and when that was certain; milliseconds since the epoch. */
  readonly brokenAt?: number | undefined;
  readonly detectedAt?: number | undefined;
  /** The measure of the invariant at that time; default: the first. It may grow after that. */
  readonly whenDetected?: Measures | undefined;
  /** For a column, if there is something to show. */
  readonly summary?: C;
  /** The first measure in words, if its name does not say all. */
  readonly figure?: C;
  /** What is missing to decide; with any of it, an invariant that is not violated is unknown. */
  readonly missing?: Some<C>;
  /** What is missing to prove anything, even a violation. */
  readonly unproven?: Some<C>;
  readonly evidence?: Some<C>;
  /** The same for each pod. */
  readonly byPod?: Some<C>;
}

/** Those that apply. */
export type Some<T> = readonly (T | false | undefined)[];

export function applying<T>(some: Some<T> = []): T[] {
  return some.filter((one): one is T => one !== false && one !== undefined);
}

/** There is nothing to find yet. */
export const NOTHING: Finding<never> = {};

export interface Checker<A> {
  readonly name: string;
  finding(state: A): Finding;
}

/** How the state of a scenario begins and grows. */
export interface Fold<S, A> {
  init(setup: S): A;
  /** Takes O(1), and may use `state` up: only its result is valid after that. */
  step(state: A, event: HistoryEvent): A;
}

/** The checkers of a scenario, and the fold that gives their state. */
export interface CheckedBy<S, A> {
  readonly fold: Fold<S, A>;
  readonly checkers: readonly Checker<A>[];
}

/**
 * The checkers of one history. An error in one leaves its finding as it was before, and unproven: what it would have
 * found may be needed to prove the findings of the others, which go on. An error in the fold ends all.
 */
export class Checks<S, A> {
  readonly #by: CheckedBy<S, A>;
  readonly #onFailure: (error: unknown) => void;
  #state: A | undefined;
  readonly #failures = new Map<unknown, Code>();
  readonly #found = new Map<string, Finding>();

  /** @param onFailure gets the first error */
  constructor(by: CheckedBy<S, A>, setup: S, onFailure: (error: unknown) => void) {
    this.#by = by;
    this.#onFailure = onFailure;
    this.guard(by.fold, () => {
      this.#state = by.fold.init(setup);
    });
  }

  /** Why findings are unknown from now on. */
  get failures(): readonly Code[] {
    return [...this.#failures.values()];
  }

  take(event: HistoryEvent): void {
    this.guard(this.#by.fold, () => {
      this.#state = this.#by.fold.step(this.state, event);
    });
  }

  /** What the checkers read. */
  get state(): A {
    return this.#state as A;
  }

  /** By name, in the order of the list. */
  findings(): ReadonlyMap<string, Finding> {
    const { checkers, fold } = this.#by;
    for (const { finding, name } of this.#failures.has(fold) ? [] : checkers) {
      this.guard(name, () => this.#found.set(name, finding(this.state)));
    }
    return new Map(
      checkers.map(({ name }) => {
        const found = this.#found.get(name) ?? NOTHING;
        const failure = this.#failures.get(fold) ?? this.#failures.get(name);
        return [name, failure ? { ...found, unproven: [...(found.unproven ?? []), failure] } : found];
      }),
    );
  }

  /** What a part of the judgement comes to; undefined once it has failed. @param part which one */
  guard<T>(part: unknown, run: () => T): T | undefined {
    if (this.#failures.has(part)) return undefined;
    try {
      return run();
    } catch (error) {
      const isFirst = this.#failures.size === 0;
      this.#failures.set(part, code('CheckerFailed', { message: messageOf(error) }));
      if (isFirst) this.#onFailure(error);
      return undefined;
    }
  }
}

/** Composes findings: the figures of one that is violated lead. `shortfalls`: all that is missing. */
export function compose(findings: ReadonlyMap<string, Finding>) {
  const all = [...findings.values()];
  const broken = all.filter(({ isBroken }) => isBroken);
  const [leads] = broken;
  const inOrder = leads ? [leads, ...all.filter((finding) => finding !== leads)] : all;
  const firstOf = (moment: 'brokenAt' | 'detectedAt'): number | undefined => {
    const moments = broken.flatMap((finding) => finding[moment] ?? []);
    return moments.length > 0 ? Math.min(...moments) : undefined;
  };
  return {
    isBroken: leads !== undefined,
    brokenAt: firstOf('brokenAt'),
    detectedAt: firstOf('detectedAt'),
    whenDetected: leads?.whenDetected,
    figure: leads?.figure,
    figures: {
      measures: Object.fromEntries(inOrder.flatMap(({ measures = {} }) => Object.entries(measures))),
      bounds: Object.fromEntries(inOrder.flatMap(({ bounds = {} }) => Object.entries(bounds))),
      atLeast: inOrder.flatMap(({ atLeast = [] }) => atLeast),
    },
    unproven: all.flatMap(({ unproven }) => applying(unproven)),
    shortfalls: all.flatMap(({ isBroken, missing, unproven }) => [
      ...applying(unproven),
      ...(isBroken ? [] : applying(missing)),
    ]),
    // There may be many pods, and what applies to all of them must not be cut off.
    evidence: [
      ...all.flatMap(({ evidence }) => applying(evidence)),
      ...all.flatMap(({ byPod }) => applying(byPod)),
    ],
  };
}

/** Computes `of` once for each state. */
export function once<A extends object, T>(of: (state: A) => T): (state: A) => T {
  const known = new WeakMap<A, { readonly of: T }>();
  return (state) => {
    const found = known.get(state) ?? { of: of(state) };
    known.set(state, found);
    return found.of;
  };
}
