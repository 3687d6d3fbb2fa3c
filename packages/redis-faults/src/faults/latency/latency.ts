/** Redis answers late. */
import type { FaultType } from '../fault-type.ts';
import { FencedPause } from '../fenced-pause.ts';
import { LateCommands } from './late-commands.ts';
import { SlowWrites } from './slow-writes.ts';

export const latency = {
  type: 'Latency',
  meaning:
    'each write waits for half of latency to all of it; via a fault proxy, each command waits for all of it',
  parameters: ['latency'],
  // Only the proxy delays reads, and each command alike.
  prefersProxy: true,
  mechanisms: {
    Redis: {
      title: 'Redis takes writes slowly',
      cause: 'store-writes-stalled',
      holdsWrites: true,
      create: (tools, { latencyMs }) => new FencedPause(tools, new SlowWrites(tools, latencyMs)),
    },
    Proxy: {
      title: 'Redis answers late',
      cause: 'store-slow',
      create: (tools, { latencyMs }) => new LateCommands(tools, latencyMs),
    },
  },
} as const satisfies FaultType;
