/** The invariant of a scenario as a formula over signals of evidence. Pure. */
import type { InvariantReading } from '../../../engine/observed.ts';
import type { SeenInvariant } from '../../../evidence/index.ts';

/** The state of an invariant that keeps `measured` within a bound, by the measure that decides. */
export function seenInvariant(
  measured: string,
  reading: InvariantReading | undefined,
): SeenInvariant | undefined {
  if (!reading) return undefined;
  const { brokenAt, measures } = reading;
  const values = measures
    .slice(0, 1)
    .flatMap(({ bound, value }) => [
      { name: measured, value },
      ...(bound === undefined ? [] : [{ name: 'bound', value: bound }]),
    ]);
  const broken = brokenAt !== undefined;
  return { formula: `${measured} <= bound`, broken, ...(broken && { brokenAt }), values };
}
