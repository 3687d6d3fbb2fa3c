/** Redis loses counts or locks, as after a restart without persistence. */
import type { FaultType } from '../fault-type.ts';
import { LostCounts } from './lost-counts.ts';

export const dataLoss = {
  type: 'DataLoss',
  meaning: 'data of callers of the demo is removed, once',
  parameters: ['scripts'],
  mechanisms: {
    Redis: {
      title: 'Redis loses the data of callers',
      cause: 'store-restarted',
      lasts: 'Moment',
      create: (tools, options) => new LostCounts(tools, options),
    },
  },
} as const satisfies FaultType;
