import { describe, expect, it } from 'vitest';
import { at, fault, T } from '../../test/fixtures/demo/observations.ts';
import type { ChaosDemoStatus, FaultStatus } from '../api/index.ts';
import type { Context } from './context.ts';
import { announcement, nothingObserved } from './observed.ts';
import { updateScenarios } from './scenarios.ts';

describe('the report of a fault', () => {
  /** The status of the fault, if this process has a report of its id and announced this one. */
  function reported(announced: FaultStatus): FaultStatus | undefined {
    const planned: FaultStatus = { id: '1-surge-1', plannedAt: at(0), until: at(2000) };
    const draft: ChaosDemoStatus = {
      scenarios: [{ name: 'surge', type: 'Surge', expect: 'Violated', fault: planned }],
    };
    const report = { startedAt: T, proof: 'Confirmed', message: 'sent', evidence: [] } as const;
    const observed = {
      ...nothingObserved(T),
      announced: new Set([announcement(announced)]),
      faults: { '1-surge-1': report },
    };
    const context = { draft, observed, now: T + 100, scenarios: [{ name: 'surge', settleMs: 1000 }] };
    updateScenarios(context as unknown as Context);
    return draft.scenarios?.[0]?.fault;
  }

  it('is taken over by the process that announced it', () => {
    expect(reported(fault)).toMatchObject({ startedAt: at(0), proof: 'Confirmed', message: 'sent' });
  });

  it('is not taken for that of a fault of the same id that another process announced', () => {
    const { proof, startedAt } = reported({ ...fault, plannedAt: at(-60_000) }) ?? {};
    expect([startedAt, proof]).toEqual([undefined, undefined]);
  });
});
