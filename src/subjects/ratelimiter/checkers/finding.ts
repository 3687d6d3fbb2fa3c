/** What a checker says of a history, and how several findings make one reading. Pure. */
import type { Measure } from '../../../api/index.ts';
import type { InvariantReading } from '../../../demo/observed.ts';
import type { SeenInvariant } from '../../../evidence/index.ts';

/** The finding of one checker. */
export interface Finding {
  /** Whether what it checks holds. `unknown`: see `missing`. */
  readonly valid: boolean | 'unknown';
  /** If it does not hold: since when, in milliseconds since the epoch. */
  readonly brokenAt?: number;
  /** A few words for a column, if there is something to show. */
  readonly summary?: string;
  readonly measures: readonly Measure[];
  /** What is missing to know it; empty unless `valid` is unknown. */
  readonly missing: readonly string[];
  /** What was seen, a sentence each. */
  readonly evidence: readonly string[];
  /** The same of each pod. */
  readonly byPod?: readonly string[];
}

/** Several findings as one. */
export interface Composed {
  /** The worst of them: false before unknown before true. */
  readonly valid: boolean | 'unknown';
  readonly brokenAt?: number;
  /** Of the finding that does not hold first, then those of the others in their order. */
  readonly measures: readonly Measure[];
  readonly missing: readonly string[];
  readonly evidence: readonly string[];
}

/** Composes findings; of several that do not hold the first leads. */
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
      // There may be many pods, and what is said of all of them must not be cut off.
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

/** The state of an invariant, by the measure that decides. Its bound is a value, too, if it has one. */
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
