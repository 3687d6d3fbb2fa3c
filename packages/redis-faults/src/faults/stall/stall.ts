/** Redis does not answer, while connections stay open. */
import type { FaultType } from '../fault-type.ts';
import { FencedPause } from '../fenced-pause.ts';
import { Blackhole } from './blackhole.ts';

export const stall = {
  type: 'Stall',
  meaning: 'writes wait, and reads are answered; via a fault proxy, no command is answered',
  mechanisms: {
    Redis: {
      title: 'Redis stops taking writes',
      cause: 'store-writes-stalled',
      holdsWrites: true,
      create: (tools) => new FencedPause(tools),
    },
    Proxy: {
      title: 'Redis answers nothing',
      cause: 'store-connections-broken',
      create: (tools) => new Blackhole(tools),
    },
  },
} as const satisfies FaultType;
