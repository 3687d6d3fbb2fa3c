import { describe, expect, it } from 'vitest';
import { at, broken, fault, reading, T } from '../../test/fixtures/engine/observations.ts';
import { judge } from './judgement.ts';

describe('a violation', () => {
  it('during the fault is Violated, with its figure', () => {
    expect(judge(fault, broken(1000.4), undefined)).toEqual({
      result: 'Violated',
      reason: 'Violated',
      message: expect.stringMatching(/^queued 30 requests, at most 6 allowed$/),
    });
  });

  it('during the fault is named by its summary if its measures have no bound', () => {
    const found = { ...broken(1000), measures: { notAdmitted: 3 }, summary: 'Hangs' };
    expect(judge(fault, found, undefined)?.message).toMatch(/^Found Hangs, .*: not admitted 3 requests$/);
    const inWords = { ...found, figure: '3 of 4 got no response' };
    expect(judge(fault, inWords, undefined)?.message).toMatch(/^Found Hangs, .*: 3 of 4 got no response$/);
  });

  it('during the fault counts if it is detected after the end', () => {
    expect(judge(fault, broken(1990), undefined)?.result).toBe('Violated');
  });

  it.each([
    ['figure', {}],
    ['bound', { hanging: 3 }],
  ])('during the fault counts without a %s', (_, measures) => {
    const { message, result } = judge(fault, { ...broken(1000), measures }, undefined) ?? {};
    expect(result).toBe('Violated');
    expect(message).not.toContain('undefined');
  });

  it.each([
    ['before it began', -200, 'violated 200 ms before the fault'],
    ['after its end', 2086, 'violated 86 ms after the fault'],
  ])('was not caused by the fault %s', (_, moment, message) => {
    expect(judge(fault, broken(moment), T + 3000)).toEqual({
      result: 'Inconclusive',
      reason: 'EvidenceIncomplete',
      message: expect.stringContaining(message),
    });
  });

  it('has at least the figure that was measured, if more could not show', () => {
    expect(judge(fault, { ...broken(1000), atLeast: ['queued'] }, undefined)?.message).toContain(
      'queued at least 30 requests',
    );
  });

  it.each([
    ['during the fault', 1000],
    ['after it', 2086],
  ])('has the figure of the time at which it was detected: %s', (_, moment) => {
    const whenDetected = { measures: { queued: 8 } };
    const { message } = judge(fault, { ...broken(moment), whenDetected }, undefined) ?? {};
    expect(message).toMatch(/queued 8 requests (when it was detected|then)/);
  });
});

describe('a violation that is proven without the fault', () => {
  const doubtful = { shortfalls: ['4 of 40 answers could not be timed'], provenAlone: true };

  it.each([
    ['in an unproven fault', { proof: 'Inconclusive', message: 'late 79 %' }, 1000],
    ['after the fault', {}, 5000],
    ['in a fault whose start was not seen', { startedAt: undefined }, 1000],
    ['between the plan of the fault and its known start', { startedAt: at(500) }, 200],
  ] as const)('is Violated %s', (_, change, moment) => {
    const { message, result } =
      judge({ ...fault, ...change }, { ...broken(moment), ...doubtful }, undefined) ?? {};
    expect(result).toBe('Violated');
    expect(message?.includes('late 79 %')).toBe('proof' in change);
  });

  it('is of the baseline if it was before the fault', () => {
    for (const proof of ['Confirmed', 'Mismatch'] as const) {
      expect(judge({ ...fault, proof }, { ...broken(-200), ...doubtful }, undefined)).toMatchObject({
        result: 'Inconclusive',
        reason: 'BaselineViolated',
      });
    }
  });
});

describe('an invariant that held', () => {
  it('is reported with the figure, and the rate that so many trials exclude', () => {
    const message = (trials?: number): string | undefined =>
      judge(fault, reading(trials === undefined ? {} : { trials }), T + 3000)?.message;
    expect(message()).toMatch(/ 1 trial: queued 30 .* at most 6 allowed$/);
    expect(message(3)).toMatch(/ 3 trials: .* 95 % .* 64 %/);
  });

  it.each([
    ['no bound', { notAdmitted: 132 }],
    ['no figure', {}],
  ])('with %s is reported by its summary', (_, measures) => {
    const { message, result } = judge(fault, reading({ measures, summary: 'Hangs' }), T + 3000) ?? {};
    expect(result).toBe('Held');
    expect(message).toMatch(/^Found Hangs in 1 trial, .*accepts$/);
  });

  it('is not claimed next to a figure above the bound that was not proven', () => {
    const { message, result } =
      judge(fault, reading({ shortfalls: ['store-0 was restarted'] }), T + 3000) ?? {};
    expect([result, message]).toEqual([
      'Inconclusive',
      expect.stringMatching(/^Measured 30 > 6, .*incomplete: store-0 was restarted$/),
    ]);
    const unknown = reading({ measures: {}, summary: 'not judged yet', shortfalls: ['end not seen'] });
    expect(judge(fault, unknown, T + 3000)?.message).toMatch(/^(?!.*not judged yet).*: end not seen$/);
  });
});

describe('a proof that is incomplete', () => {
  it('a fault that is not Confirmed proves nothing, even with a violation', () => {
    const { proof: _, ...unproven } = fault;
    expect(judge(unproven, broken(1000), T + 3000)).toMatchObject({
      result: 'Inconclusive',
      reason: 'FaultNotProven',
    });
    expect(judge({ ...unproven, message: 'not sent' }, reading(), T + 3000)?.message).toBe('not sent');
  });

  it('a fault that is not Confirmed is judged after the watch', () => {
    const unproven = { ...fault, proof: 'Inconclusive' } as const;
    const { startedAt: _, ...unseen } = unproven;
    for (const one of [unproven, unseen]) {
      expect(judge(one, reading(), undefined)).toBeUndefined();
      expect(judge(one, reading(), T + 3000)?.reason).toBe('FaultNotProven');
    }
  });

  it('nothing is judged before the watch has ended, except a violation', () => {
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
    // The last sample may be half a second before the end of the watch.
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

  it('a violation counts up to 1 ms outside of the fault, since a status rounds', () => {
    const resultAt = (ms: number) => judge(fault, broken(ms), undefined)?.result;
    expect([-2, -1, 2001, 2002].map(resultAt)).toEqual([
      'Inconclusive',
      'Violated',
      'Violated',
      'Inconclusive',
    ]);
    // An unknown end bounds nothing, and an unknown start neither.
    expect(judge({ ...fault, endedAt: undefined }, broken(5000), undefined)?.result).toBe('Violated');
    expect(judge({ ...fault, startedAt: undefined }, broken(-500), undefined)?.result).toBe('Violated');
  });
});
