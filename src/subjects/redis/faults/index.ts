/** The faults of a store by type, for each attempt a new one. Each begins with the same pause. */
import { PodConnections } from './break/pod-connections.ts';
import type { FaultTools, StoreFault } from './fault.ts';
import { FencedPause } from './fenced-pause.ts';

export const FAULTS = {
  /** Writes wait, reads are answered, and connections stay open. */
  Stall: (tools) => new FencedPause(tools),
  /** The same, and the connections of the pods end as often as they connect. */
  Break: (tools) => new FencedPause(tools, new PodConnections(tools)),
} as const satisfies Record<string, (tools: FaultTools) => StoreFault>;
