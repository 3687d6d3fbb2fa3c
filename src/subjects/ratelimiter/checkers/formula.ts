/** Invariants as formulas over signals of evidence, under names that do not identify the subject. Pure. */
import type { InvariantReading } from '../../../engine/observed.ts';
import type { SeenInvariant } from '../../../evidence/index.ts';
import { SHARE } from '../../checkers/share-interval.ts';
import type { Over } from './outage-seen.ts';

/** The state of an invariant that keeps `measured` within a bound, by the measure that decides. */
export function seenInvariant(
  measured: string,
  reading: InvariantReading | undefined,
): SeenInvariant | undefined {
  if (!reading) return undefined;
  const { bounds, brokenAt, measures } = reading;
  const values = Object.entries(measures)
    .slice(0, 1)
    .flatMap(([name, value]) => {
      const bound = bounds?.[name];
      return [{ name: measured, value }, ...(bound === undefined ? [] : [{ name: 'bound', value: bound }])];
    });
  const broken = brokenAt !== undefined;
  return { formula: `${measured} <= bound`, broken, ...(broken && { brokenAt }), values };
}

/** Behaviours in which callers under their limit are admitted. */
const ADMITTING: ReadonlySet<string> = new Set(['Enforces', 'FailsOpen', 'Forgets']);

/** As a separate figure, because there is no series of it. */
const CROSSING = "a crossing caller's admitted - bound";

/**
 * The invariant of a store outage in figures of the callers. The formula is false exactly if `reading` is violated, once that is proven: with a shortfall nothing is proven,
 * whatever the figures. Some accepted outcomes cannot be expressed in figures of all callers.
 * @param excess of each kind of caller, in `reading`; undefined: nothing was judged
 * @param who whose requests are within the limit: those of others, or the first of the one caller
 */
export function outageInvariant(
  reading: InvariantReading,
  accept: readonly string[],
  excess: Over['excess'] | undefined,
  who: 'others' | 'within' = 'others',
): SeenInvariant {
  const served = accept.some((kind) => !ADMITTING.has(kind))
    ? []
    : [`${who}-admitted >= ${SHARE} * ${who}-sent`];
  const kept =
    accept.includes('FailsOpen') || accept.includes('Forgets')
      ? []
      : ['sum(requests-admitted) - bound <= 0', ...(who === 'others' ? [`${CROSSING} <= 0`] : [])];
  const { notAdmitted = 0, underLimit = 0 } = reading.measures;
  return {
    formula: [...served, ...kept, 'the outcome for callers is accepted, and they recover'].join(' and '),
    broken: reading.detectedAt !== undefined,
    ...(reading.brokenAt !== undefined && { brokenAt: reading.brokenAt }),
    values:
      Object.keys(reading.measures).length === 0
        ? []
        : [
            { name: `${who}-sent`, value: underLimit },
            { name: `${who}-admitted`, value: underLimit - notAdmitted },
            { name: 'sum(requests-admitted) - bound', value: excess?.beyond ?? 0 },
            ...(who === 'others' ? [{ name: CROSSING, value: excess?.crossing ?? 0 }] : []),
          ],
  };
}
