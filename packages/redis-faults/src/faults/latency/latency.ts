/** Redis answers late. */
import type { FaultType } from '../fault-type.ts';
import { LateCommands } from './late-commands.ts';

export const latency = {
  type: 'Latency',
  meaning: 'each command waits for latency, even a read',
  parameters: ['latency'],
  mechanisms: {
    Proxy: {
      title: 'Redis answers late',
      cause: 'store-slow',
      create: (tools, { latencyMs }) => new LateCommands(tools, latencyMs),
    },
  },
} as const satisfies FaultType;
