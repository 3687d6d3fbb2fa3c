import { describe, expect, it } from 'vitest';
import { type ChaosDemoStatus, statusSchema } from '../api/index.ts';
import { type CutOff, cutOffMessage, REJECTED, rejectedStatus, UNDECIDABLE } from './rejected-status.ts';

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();

/** Of a run in its midst. */
const running: ChaosDemoStatus = {
  observedGeneration: 1,
  phase: 'Running',
  chapter: 'Chaos',
  run: { number: 1, runId: 'a', requestedAt: 'now', startedAt: at(0) },
  lastHandledRunRequest: 'now',
  scenarios: [{ name: 's', type: 'S', expect: 'Detected', evidence: ['much of it'] }],
  journal: { runKey: 'v1:x', faults: [{ id: '1-s-1', fixture: 'f' }] },
  conditions: [
    {
      type: 'Ready',
      status: 'False',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      reason: 'Running',
      message: '',
    },
  ],
};
const verdict = { phase: 'Succeeded', reason: 'ExpectationsMet', message: 'as it went' } as const;
const ended: ChaosDemoStatus = {
  ...running,
  phase: 'Succeeded',
  run: { number: 1, startedAt: at(0), completedAt: at(30), verdict },
};

const because = (cutOff: CutOff) => ({ reason: cutOff.reason, message: cutOffMessage(cutOff, false) });

describe('the status that is left when another was refused', () => {
  it('ends the run as Errored, fits the schema, and keeps what starts no run again', () => {
    const rejected = rejectedStatus(running, running, 3, Date.parse(at(60)), because(REJECTED));
    expect(statusSchema.safeParse(rejected).error).toBeUndefined();
    expect(rejected).toMatchObject({
      observedGeneration: 3,
      phase: 'Errored',
      lastHandledRunRequest: 'now',
      journal: { runKey: 'v1:x' },
      run: { number: 1, completedAt: at(60), verdict: { phase: 'Errored', reason: 'StatusRejected' } },
    });
    expect(rejected.conditions?.map(({ type, status }) => [type, status])).toEqual([
      ['Ready', 'False'],
      ['Stalled', 'True'],
      ['Complete', 'True'],
      ['Succeeded', 'False'],
    ]);
    expect(rejected.conditions?.[0]?.lastTransitionTime).toBe('2026-01-01T00:00:00Z');
    expect(rejected.scenarios).toBeUndefined();
  });

  it('ends the run that was to begin, so that what asked for it does not ask for ever', () => {
    const next = { ...running, run: { number: 2, startedAt: at(40) } };
    expect(rejectedStatus(ended, next, 1, Date.parse(at(41)), because(REJECTED)).run).toMatchObject({
      number: 2,
      verdict: { reason: 'StatusRejected' },
    });
  });

  it('leaves a verdict as it was, and is the same when it is made again', () => {
    const rejected = rejectedStatus(ended, ended, 1, Date.parse(at(600)), because(REJECTED));
    expect(rejected.run?.verdict).toEqual(verdict);
    expect(rejectedStatus(rejected, ended, 1, Date.parse(at(700)), because(REJECTED))).toEqual(rejected);
  });

  it('speaks of no run where there was none', () => {
    expect(rejectedStatus({}, {}, 1, 0, because(REJECTED)).run).toBeUndefined();
  });

  it('says why where the status was not refused but could not be decided on', () => {
    const left = rejectedStatus(running, running, 1, Date.parse(at(60)), because(UNDECIDABLE));
    expect(left.message).toContain('could not decide');
    expect(left.run?.verdict?.reason).toBe('StatusUnusable');
    expect(new Set(left.conditions?.map(({ reason }) => reason))).toEqual(new Set(['StatusUnusable']));
  });

  it.each([true, false])('reports a release only if a fault may have been active: %s', (mayBeOn) => {
    expect(cutOffMessage(REJECTED, mayBeOn).includes('began to release its fault')).toBe(mayBeOn);
  });
});
