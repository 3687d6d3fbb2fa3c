import { describe, expect, it } from 'vitest';
import { bundleOf } from '../../test/fixtures/diagnosis/bundle.ts';
import type { DiagnosisAnswer } from './answer.ts';
import { gradeAnswer, type Truth } from './grade.ts';

const bundle = bundleOf({ parts: [['store', 'write-outstanding', [[500, 400]]]] });
const stall: Truth = { anomaly: 'store-writes-stalled', components: ['store'] };
const away: Truth = { anomaly: 'replica-unreachable', components: ['replica-1'] };

const said = (parts: Partial<DiagnosisAnswer> = {}): DiagnosisAnswer => ({
  anomaly: 'store-writes-stalled',
  component: 'store',
  chain: [{ text: 'so it is', evidence: ['s1'] }],
  action: 'wait',
  confidence: 1,
  alternatives: [],
  ...parts,
});

describe('gradeAnswer', () => {
  it('accepts either of two anomalies, each at its component', () => {
    const right = {
      localization: 'Right',
      identification: 'Right',
      action: 'Right',
      truth: 'replica-unreachable at replica-1; store-writes-stalled at store',
    };
    expect(gradeAnswer(said(), bundle, [away, stall])).toEqual(right);
    const elsewhere = said({ component: 'replica-1' });
    expect(gradeAnswer(elsewhere, bundle, [away, stall])).toEqual({ ...right, identification: 'Wrong' });
    expect(gradeAnswer(elsewhere, bundle, [stall])).toMatchObject({ localization: 'Wrong' });
  });

  it('expects nothing of a healthy system', () => {
    const healthy = said({ anomaly: 'none', component: 'none', action: 'none' });
    const right = { localization: 'Right', identification: 'Right', action: 'Right', truth: 'none' };
    expect(gradeAnswer(healthy, bundle, [])).toEqual(right);
    expect(gradeAnswer(said(), bundle, [])).toMatchObject({ localization: 'Wrong', action: 'Wrong' });
  });

  it('grades the action by the anomaly of its component', () => {
    const lax: Truth = { anomaly: 'limit-not-enforced', components: ['replica-1'] };
    const action = (parts: Partial<DiagnosisAnswer>): string =>
      gradeAnswer(said(parts), bundle, [stall, lax]).action;
    expect(action({ component: 'store', action: 'wait' })).toBe('Right');
    expect(action({ component: 'store', action: 'restart-component' })).toBe('Wrong');
    expect(action({ component: 'replica-1', action: 'restart-component' })).toBe('Right');
    expect(action({ component: 'replica-1', action: 'wait' })).toBe('Wrong');
  });
});
