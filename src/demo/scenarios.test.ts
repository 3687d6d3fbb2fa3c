import { describe, expect, it } from 'vitest';
import type { ChaosDemoStatus, FaultStatus } from '../api/index.ts';
import type { Context } from './context.ts';
import { announcement, type InvariantReading, nothingObserved } from './observed.ts';
import { judge, updateScenarios } from './scenarios.ts';

const T = Date.parse('2026-01-01T00:00:00Z');
const at = (ms: number): string => new Date(T + ms).toISOString();

const fault: FaultStatus = {
  id: '1-surge-1',
  plannedAt: at(0),
  startedAt: at(0),
  until: at(2000),
  endedAt: at(2000),
  proof: 'Confirmed',
};

function reading(change: Partial<InvariantReading> = {}): InvariantReading {
  return {
    measures: [{ name: 'queued', value: 30, bound: 6, unit: 'requests' }],
    summary: '30 > 6',
    watchedUntil: T + 3000,
    shortfalls: [],
    evidence: [],
    ...change,
  };
}
const broken = (brokenAt: number): InvariantReading =>
  reading({ brokenAt: T + brokenAt, detectedAt: T + brokenAt + 86 });

describe('a break', () => {
  it('a break during the fault is Violated, with the time to its detection', () => {
    expect(judge(fault, broken(1000.4), undefined)).toEqual({
      result: 'Violated',
      reason: 'Violated',
      message: expect.stringMatching(/queued 30 .* bound 6; detected 86 ms/),
    });
  });

  it('is noticed in time where the fault ends before it is told', () => {
    expect(judge(fault, broken(1990), undefined)?.result).toBe('Violated');
  });

  it.each([
    ['before it began', -200, 'violated 200 ms before the fault'],
    ['after its end', 2086, 'violated 86 ms after the fault'],
  ])('is no doing of the fault %s', (_, moment, message) => {
    expect(judge(fault, broken(moment), T + 3000)).toEqual({
      result: 'Inconclusive',
      reason: 'EvidenceIncomplete',
      message: expect.stringContaining(message),
    });
  });

  it('is of at least the size that was measured, where more could not show', () => {
    const measures = [{ name: 'queued', value: 30, bound: 6, unit: 'requests', atLeast: true }];
    expect(judge(fault, { ...broken(1000), measures }, undefined)?.message).toContain(
      'queued at least 30 requests',
    );
  });
});

describe('that nothing broke', () => {
  it('is reported as not observed, with what so many trials exclude', () => {
    const message = (trials?: number): string | undefined =>
      judge(fault, reading(trials === undefined ? {} : { trials }), T + 3000)?.message;
    expect(message()).toMatch(/ 1 trial: queued 30 .* bound 6$/);
    expect(message(3)).toMatch(/ 3 trials: .* 95 % .* 64 %/);
  });

  it('is reported as what the spec accepts where no bound judges it', () => {
    const measures = [{ name: 'notAdmitted', value: 132, unit: 'requests' }];
    expect(judge(fault, reading({ measures, summary: 'Hangs' }), T + 3000)?.message).toMatch(
      /^Found Hangs in 1 trial, .*accepts$/,
    );
  });

  it('is not claimed next to a figure above the bound that was not proven', () => {
    const { message, result } =
      judge(fault, reading({ shortfalls: ['store-0 was restarted'] }), T + 3000) ?? {};
    expect([result, message]).toEqual([
      'Inconclusive',
      expect.stringMatching(/^Measured 30 > 6, .*incomplete: store-0 was restarted$/),
    ]);
    const unknown = reading({
      measures: [],
      summary: 'not judged yet',
      shortfalls: ['end not seen'],
    });
    expect(judge(fault, unknown, T + 3000)?.message).toMatch(/: end not seen$/);
  });
});

describe('a proof that is incomplete', () => {
  it('a fault that is not Confirmed proves nothing, whatever was broken', () => {
    const { proof: _, ...unproven } = fault;
    expect(judge(unproven, broken(1000), T + 3000)).toMatchObject({
      result: 'Inconclusive',
      reason: 'FaultNotProven',
    });
    expect(judge({ ...unproven, message: 'not sent' }, reading(), T + 3000)?.message).toBe('not sent');
  });

  it('nothing is judged before the watch has ended, unless something broke', () => {
    expect(judge(fault, reading(), undefined)).toBeUndefined();
  });

  it('a lost reading is ObservationLost', () => {
    expect(judge(fault, undefined, T + 3000)).toMatchObject({
      result: 'Inconclusive',
      reason: 'ObservationLost',
    });
  });

  it('a proof needs the start of the fault, and a watch to its end', () => {
    const incomplete = { result: 'Inconclusive', reason: 'EvidenceIncomplete' };
    const { startedAt: _, ...unseen } = fault;
    expect(judge(unseen, reading(), T + 3000)).toMatchObject(incomplete);
    // The last sample may lie half a second before the end of the watch.
    const last = T + 3500;
    expect(judge(fault, reading(), last)?.result).toBe('Held');
    expect(judge(fault, reading(), last + 1)).toMatchObject(incomplete);
  });

  it('a pod that is gone is named first', () => {
    const shortfalls = ['too few checks'];
    expect(judge(fault, reading({ shortfalls }), T + 3000, 'store-0 is gone')?.message).toMatch(
      /: store-0 is gone; too few checks$/,
    );
  });

  it('a break is Violated up to 1 ms outside of the fault, as a status rounds', () => {
    const resultAt = (ms: number) => judge(fault, broken(ms), undefined)?.result;
    expect([-2, -1, 2001, 2002].map(resultAt)).toEqual([
      'Inconclusive',
      'Violated',
      'Violated',
      'Inconclusive',
    ]);
  });
});

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
