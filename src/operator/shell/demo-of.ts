/** The input of a decision: an object as the API server has it, and the shell's own knowledge of it. */
import { ANNOTATIONS, type ChaosDemo } from '../../api/index.ts';
import type { Demo } from '../../engine/context.ts';

/** The input of `decide` from an object. @param noSlotReason why no further run may begin now */
export function demoOf(
  { metadata, spec, status = {} }: ChaosDemo,
  killSwitch: boolean,
  noSlotReason: string | undefined,
): Demo {
  const { annotations = {}, deletionTimestamp, generation, uid } = metadata;
  return {
    uid,
    generation,
    deleting: deletionTimestamp !== undefined,
    killSwitch,
    noSlotReason,
    spec,
    status,
    annotations: {
      requestedAt: annotations[ANNOTATIONS.requestedAt],
      advance: annotations[ANNOTATIONS.advance],
      abort: annotations[ANNOTATIONS.abort],
    },
  };
}
