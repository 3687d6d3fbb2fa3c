/** Redis loses counts, as after a restart without persistence. */
import type { FaultType } from '../fault-type.ts';
import { LostCounts } from './lost-counts.ts';

export const dataLoss = {
  type: 'DataLoss',
  meaning: 'counts of callers of the demo are removed, once',
  parameters: ['scripts'],
  mechanisms: {
    Redis: {
      title: 'Redis loses the counts of callers',
      cause: 'store-restarted',
      lasts: 'Moment',
      create: (tools, options) => new LostCounts(tools, options),
    },
  },
} as const satisfies FaultType;
