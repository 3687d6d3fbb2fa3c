/** The finding of a checker on a history, and how several findings form one reading. Pure. */
import type { Measure } from '../../../api/index.ts';
import type { InvariantReading } from '../../../demo/observed.ts';
import type { SeenInvariant } from '../../../evidence/index.ts';

export interface Finding {
  /** Whether the checked invariant holds. `unknown`: see `missing`. */
  readonly valid: boolean | 'unknown';
  /** If it does not hold: since when, in milliseconds since the epoch. */
  readonly brokenAt?: number;
  /** A few words for a column, if there is something to show. */
  readonly summary?: string;
  readonly measures: readonly Measure[];
  /** What is missing to decide; empty unless `valid` is unknown. */
  readonly missing: readonly string[];
  /** Observations, a sentence each. */
  readonly evidence: readonly string[];
  /** The same for each pod. */
  readonly byPod?: readonly string[];
}

/** Several findings as one. */
export interface Composed {
  /** The worst of them: false before unknown before true. */
  readonly valid: boolean | 'unknown';
  readonly brokenAt?: number;
  /** Of the violated finding first, then of the others in their order. */
  readonly measures: readonly Measure[];
  readonly missing: readonly string[];
  readonly evidence: readonly string[];
}

/** Composes findings; if several are violated, the first leads. */
export function compose(findings: readonly Finding[]): Composed {
  const broken = findings.filter(({ valid }) => valid === false);
  const moments = broken.flatMap(({ brokenAt }) => brokenAt ?? []);
  const [leads] = broken;
  const inOrder = leads ? [leads, ...findings.filter((finding) => finding !== leads)] : findings;
  const unknown = findings.some(({ valid }) => valid === 'unknown');
  return {
    valid: leads ? false : unknown ? 'unknown' : true,
    ...(moments.length > 0 && { brokenAt: Math.min(...moments) }),
    measures: inOrder.flatMap(({ measures }) => measures),
    missing: findings.flatMap(({ missing }) => missing),
    evidence: [
      ...findings.flatMap(({ evidence }) => evidence),
      // There may be many pods, and what applies to all of them must not be cut off.
      ...findings.flatMap(({ byPod = [] }) => byPod),
    ],
  };
}

/** An invariant as a formula over signals of evidence, with the names of the two figures that it compares. */
export interface Formula {
  readonly text: string;
  readonly measured: string;
  readonly bound: string;
}

/** The state of an invariant, by the measure that decides. Its bound is included as a value, if it has one. */
export function seenInvariant(
  { bound, measured, text }: Formula,
  { brokenAt, measures: [judged] }: InvariantReading,
): SeenInvariant {
  return {
    formula: text,
    broken: brokenAt !== undefined,
    ...(brokenAt !== undefined && { brokenAt }),
    values: [
      ...(judged ? [{ name: measured, value: judged.value }] : []),
      ...(judged?.bound === undefined ? [] : [{ name: bound, value: judged.bound }]),
    ],
  };
}
