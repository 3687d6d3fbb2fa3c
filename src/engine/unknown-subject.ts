/** The decision on an object whose subject this operator does not know: it is reported, and otherwise left alone. */
import { type ChaosDemo, withPrintableTexts } from '../api/index.ts';
import { conditionsOf, partsOf } from './conditions.ts';
import type { Decision } from './decide.ts';
import { activeFault, faultDeadline } from './fault-times.ts';

/**
 * @param known members of the spec of the subjects that this operator knows. Previous fields of the status stay, and a
 * fault injected by an operator that knew the subject ends automatically.
 */
export function decideOnUnknown(
  { metadata, status = {} }: ChaosDemo,
  known: readonly string[],
  now: number,
): Decision {
  const message = `This operator knows nothing that the spec names to test: write ${known.join(' or ')}, or install an operator that knows it`;
  const fault = activeFault(status, now);
  const conditions = conditionsOf(partsOf('refused', 'SubjectUnknown', message), status, now);
  return {
    status: withPrintableTexts({
      ...status,
      observedGeneration: metadata.generation,
      phase: 'Pending' as const,
      message,
      conditions,
    }),
    effects: [],
    activities: [],
    finalizer: fault !== undefined,
    session: false,
    slot: 'none',
    wakeAt: fault && faultDeadline(fault),
  };
}
