import { describe, expect, it } from 'vitest';
import type { ChaosDemoStatus } from '../api/index.ts';
import { isTransition } from './transition.ts';

const status: ChaosDemoStatus = {
  phase: 'Running',
  chapter: 'Stall Detection',
  scenarios: [
    {
      name: 'a',
      type: 'Stall',
      expect: 'Violated',
      result: 'Violated',
      measures: [{ name: 'apart', value: 11, bound: 6, unit: 'items' }],
      summary: '11 > 6',
      evidence: ['11 apart'],
    },
  ],
};
const [scenario] = status.scenarios ?? [];

describe('isTransition', () => {
  it('sees none if nothing has changed, or only what grows', () => {
    expect(isTransition(status, structuredClone(status))).toBe(false);
    const grown = { measures: [], summary: '30 > 6', evidence: ['30 apart', '150 samples'] };
    expect(isTransition(status, { ...status, scenarios: [{ ...scenario!, ...grown }] })).toBe(false);
  });

  it('sees none in another order of the conditions', () => {
    const condition = (type: string) => ({
      type,
      status: 'True' as const,
      lastTransitionTime: '2026-01-01T00:00:00Z',
      reason: 'Running',
      message: '',
    });
    const [a, b] = [condition('Ready'), condition('Healthy')];
    expect(isTransition({ ...status, conditions: [a, b] }, { ...status, conditions: [b, a] })).toBe(false);
  });

  it.each<[string, ChaosDemoStatus]>([
    ['another chapter', { ...status, chapter: 'Stall Diagnosis' }],
    ['another message', { ...status, message: 'something else' }],
    ['a result that is there now', { ...status, scenarios: [{ ...scenario!, result: 'Inconclusive' }] }],
    ['another scenario', { ...status, scenarios: [] }],
  ])('sees %s', (_, after) => {
    expect(isTransition(status, after)).toBe(true);
  });

  it('sees the first status of all', () => {
    expect(isTransition(undefined, status)).toBe(true);
  });
});
