/** Status of an object whose subject this operator does not know: it is reported, and otherwise left alone. */
import type { ChaosDemo, ChaosDemoStatus } from '../../api/index.ts';
import { withPrintableTexts } from '../../api/index.ts';

/** The status of an object with a subject that is not among `known`. Its previous fields stay. */
export function unknownSubjectStatus(
  demo: ChaosDemo,
  known: readonly string[],
  now: number,
): ChaosDemoStatus {
  const { metadata, status: before = {} } = demo;
  const message = `This operator knows nothing that the spec names to test: write ${known.join(' or ')}, or install an operator that knows it`;
  const time = `${new Date(now).toISOString().slice(0, 19)}Z`;
  const condition = (type: string, status: 'True' | 'False' | 'Unknown') => ({
    type,
    status,
    lastTransitionTime:
      before.conditions?.find((standing) => standing.type === type && standing.status === status)
        ?.lastTransitionTime ?? time,
    reason: 'SubjectUnknown',
    message,
  });
  return withPrintableTexts({
    ...before,
    observedGeneration: metadata.generation,
    phase: 'Pending',
    message,
    conditions: [
      condition('Ready', 'False'),
      condition('Stalled', 'True'),
      condition('Finished', 'False'),
      condition('Succeeded', 'Unknown'),
    ],
  });
}
