import { describe, expect, it } from 'vitest';
import { bundleOf } from '../../test/fixtures/diagnosis/bundle.ts';
import type { DiagnosisAnswer } from './answer.ts';
import { gradeAnswer, type Truth } from './grade.ts';

const bundle = bundleOf({
  parts: [
    ['store', 'write-outstanding', [[500, 400]]],
    ['store', 'read-latency', [[500, 1]]],
    ['replica-1', 'request-latency', [[500, 900]]],
    [
      'store',
      'write-latency',
      [
        [-9000, 1],
        [-5000, 1],
      ],
    ],
    ['client', 'limit', [[-9000, 10]]],
    ['replica-1', 'newcomer-admitted', [[500, 4]]],
    ['store', 'a write was not answered', 300],
    ['replica-1', 'it gives no answer', 300],
  ],
  invariant: { formula: 'a <= b', values: { a: 3, b: 1 }, broken: true },
});
const stall: Truth = { anomaly: 'store-writes-stalled', components: ['store'], fromMs: 0, toMs: 10_000 };
const away: Truth = { anomaly: 'replica-unreachable', components: ['replica-1'], fromMs: 0, toMs: 10_000 };
const together: Truth = {
  anomaly: 'uncoordinated-admission',
  components: ['replica-1', 'replica-2', 'replica-3'],
};

const step = (...evidence: string[]) => ({ text: 'so it is', evidence });
const said = (parts: Partial<DiagnosisAnswer> = {}): DiagnosisAnswer => ({
  anomaly: 'store-writes-stalled',
  component: 'store',
  chain: [step('s1'), step('s2', 'e1')],
  action: 'wait',
  confidence: 1,
  alternatives: [],
  ...parts,
});

const right = { localization: true, identification: true, reason: 1, action: true, found: 1 };

describe('gradeAnswer', () => {
  it('a grade counts steps that cite matching signals, component and time', () => {
    const reason = (chain: DiagnosisAnswer['chain'], truth = stall): number =>
      gradeAnswer(said({ chain }), bundle, [truth]).reason;
    expect(reason([step('s1'), step('s3')])).toBe(0.5);
    expect(reason([step('s4')])).toBe(0);
    expect(reason([step('s4', 's1')])).toBe(1);
    expect(reason([step('e1'), step('e2')])).toBe(0.5);
    expect(reason([step('v1')])).toBe(1);
    expect(reason([step('s5')])).toBe(0);
    expect(reason([step('s5')], together)).toBe(1);
    expect(reason([step('s3'), step('e2')], away)).toBe(1);
    expect(reason([step('s6')])).toBe(0);
    expect(reason([step('s6')], { ...stall, anomaly: 'store-restarted' })).toBe(1);
  });

  it('a grade depends on the real cause: evidence of another failure is no support', () => {
    const wrong = said({ anomaly: 'replica-slow', component: 'replica-1', chain: [step('s3')] });
    expect(gradeAnswer(wrong, bundle, [stall]).reason).toBe(0);
  });

  it('accepts either of two anomalies first, and expects both', () => {
    const both = [stall, away];
    expect(gradeAnswer(said(), bundle, both)).toEqual({ ...right, found: 0.5 });
    const alternatives = [{ anomaly: 'replica-unreachable', component: 'replica-1' } as const];
    expect(gradeAnswer(said({ alternatives }), bundle, both)).toEqual(right);
  });

  it('grades the action by the anomaly of its component', () => {
    const lax: Truth = { anomaly: 'limit-not-enforced', components: ['replica-1'], fromMs: 0, toMs: 10_000 };
    const action = (parts: Partial<DiagnosisAnswer>): boolean =>
      gradeAnswer(said(parts), bundle, [stall, lax]).action;
    expect(action({ component: 'store', action: 'wait' })).toBe(true);
    expect(action({ component: 'store', action: 'restart-component' })).toBe(false);
    expect(action({ component: 'replica-1', action: 'restart-component' })).toBe(true);
    expect(action({ component: 'replica-1', action: 'wait' })).toBe(false);
  });
});
