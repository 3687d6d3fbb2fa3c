import { describe, expect, it } from 'vitest';
import type { ScenarioStatus } from '../../src/api/index.ts';
import { BUGGY_MOMENTS } from './simulated-target.ts';
import { Simulation } from './simulation.ts';
import { condition, finished, injectedBy } from './support.ts';

/** A bug that shows once, and one that shows each time. */
const TIMES = [1, Number.POSITIVE_INFINITY];

describe('a bug in code that records or judges', () => {
  it.each(BUGGY_MOMENTS.flatMap((moment) => TIMES.map((times) => ({ moment, times }))))(
    'at $moment, $times times: repeats no fault and hides none',
    async ({ moment, times }) => {
      const simulation = new Simulation();
      simulation.target.throwing[moment] = times;
      while (!simulation.finished()) {
        await simulation.pass(100);
        if (!simulation.target.isStalled) continue;
        // The injection is stored, and the status that names it came before it.
        expect(simulation.status.scenarios?.[0]?.fault?.id).toBe(simulation.injected[0]?.id);
      }
      expect(injectedBy(simulation, 'stall').length).toBeLessThanOrEqual(1);
      expect(injectedBy(simulation, 'surge').length).toBeLessThanOrEqual(1);
      expect(condition(simulation, 'FaultActive')?.status).toBe('False');
    },
  );

  it('leaves a fault that may have begun Inconclusive, with its start unknown', async () => {
    const simulation = new Simulation();
    simulation.target.throwing.Inject = 1;
    const entry = (): ScenarioStatus | undefined => simulation.status.scenarios?.[0];
    await simulation.runUntil(() => entry()?.fault?.proof !== undefined);
    expect(entry()?.fault?.startedAt).toBeUndefined();
    await simulation.runUntil(finished);
    expect(entry()).toMatchObject({ result: 'Inconclusive', reason: 'FaultNotProven' });
    expect(entry()).not.toHaveProperty('retries');
    expect(entry()?.fault?.proof).toBe('Inconclusive');
    expect(injectedBy(simulation, 'stall')).toHaveLength(1);
  });
});
