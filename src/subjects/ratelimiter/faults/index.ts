/** The faults of a store by type, for each attempt a new one. Each begins with the same pause. */
import type { Toolkit } from '../tools.ts';
import { PodConnections } from './break/pod-connections.ts';
import type { StoreFault } from './fault.ts';
import { FencedPause } from './fenced-pause.ts';

export const FAULTS = {
  /** Writes wait, reads are answered, and connections stay open. */
  Stall: (toolkit) => new FencedPause(toolkit),
  /** The same, and the connections of the pods end as often as they connect. */
  Break: (toolkit) => new FencedPause(toolkit, new PodConnections(toolkit)),
} as const satisfies Record<string, (toolkit: Toolkit) => StoreFault>;
