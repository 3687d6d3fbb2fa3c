import { expect, it } from 'vitest';
import { metricsOfNoRun } from './footprint.ts';

it('reads metrics when the operator counts no active run, not at the verdict', async () => {
  const gauges = [2, 1, 0, 0];
  const testbed = {
    metrics: async () => new Map([['chaosdemo_runs_active', gauges.shift() ?? 0]]),
    until: async (_: string, holds: () => Promise<boolean>) => {
      while (!(await holds()));
    },
  };
  expect(await metricsOfNoRun(testbed)).toEqual(new Map([['chaosdemo_runs_active', 0]]));
});
