/** Redis ends connections again and again, and writes wait. */
import type { FaultType } from '../fault-type.ts';
import { FencedPause } from '../fenced-pause.ts';
import { PodConnections } from './pod-connections.ts';

export const disconnect = {
  type: 'Disconnect',
  meaning: 'each connection of the selected pods ends as often as they connect, and writes wait',
  mechanisms: {
    Redis: {
      title: 'Redis ends the connections of the pods, and writes stall',
      cause: 'store-connections-broken',
      holdsWrites: true,
      seesPods: true,
      create: (tools) => new FencedPause(tools, new PodConnections(tools)),
    },
  },
} as const satisfies FaultType;
