import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bundleOf } from '../../test/fixtures/diagnosis/bundle.ts';
import { LIMITS, printable } from '../api/index.ts';
import { evidenceIds } from '../evidence/index.ts';
import { ACTIONS, anomalyClasses, type DiagnosisAnswer } from './answer.ts';
import { checkAnswer } from './check-answer.ts';

const bundle = bundleOf({
  parts: [
    ['store', 'write-outstanding', [[150, 150]]],
    ['store', 'read-latency', [[160, 2]]],
    ['store', 'a write was sent', 0],
  ],
  invariant: { formula: 'a <= b', values: { a: 3, b: 1 }, broken: true },
});

const good: DiagnosisAnswer = {
  anomaly: 'store-writes-stalled',
  component: 'store',
  chain: [{ text: 'A write waits while reads answer.', evidence: ['s1', 's2', 'e1', 'v1'] }],
  action: 'wait',
  confidence: 0.9,
  alternatives: [{ anomaly: 'store-slow', component: 'store' }],
};

const names = ['none', 'replicas', 'replica-1', 'replica-2', 'replica-3', 'store', 'client'];

const reasons = (answer: unknown): string => {
  const checked = checkAnswer(answer, bundle);
  return 'rejected' in checked ? checked.rejected : 'accepted';
};

describe('checkAnswer', () => {
  it.each<[string, unknown, RegExp]>([
    ['no object', 'the store', /^the answer: /],
    ['a missing member', { ...good, action: undefined }, /^action: /],
    ['a class that is none', { ...good, anomaly: 'gremlins' }, /^anomaly: /],
    ['an action that is none', { ...good, action: 'kubectl delete ns' }, /^action: /],
    ['a member too many', { ...good, command: 'FLUSHALL' }, /command/],
    ['a component that is not there', { ...good, component: 'replica-4' }, /no component "replica-4"/],
    [
      'an alternative at a component that is not there',
      { ...good, alternatives: [{ anomaly: 'unknown', component: 'redis' }] },
      /^alternatives.0.component: there is no component "redis"/,
    ],
    [
      'a claim without evidence',
      { ...good, chain: [{ text: 'so it is', evidence: [] }] },
      /chain.0.evidence/,
    ],
    [
      'a claim that cites what does not exist',
      { ...good, chain: [{ text: 'so it is', evidence: ['s1', 's3', 'e2'] }] },
      /^chain.0.evidence.1: there is no evidence "s3"; chain.0.evidence.2: .*"e2"$/,
    ],
    ['a claim that says nothing', { ...good, chain: [{ text: ' \n\u{7} ', evidence: ['s1'] }] }, /nothing/],
    ['no chain', { ...good, chain: [] }, /^chain: /],
    ['health with a cause', { ...good, anomaly: 'none' }, /^the answer: class "none" has component "none"/],
    [
      'a failure of no component',
      { ...good, component: 'none' },
      /^the answer: class "none" has component "none"/,
    ],
    ['more certainty than there is', { ...good, confidence: 1.1 }, /^confidence: /],
    ['no number', { ...good, confidence: Number.NaN }, /^confidence: /],
  ])('rejects %s', (_, answer, reason) => {
    expect(reasons(answer)).toMatch(reason);
  });

  it('an accepted answer is made printable', () => {
    const text = 'red\u{1b}[31m \u{202e}olleh\nrm -rf';
    const checked = checkAnswer({ ...good, chain: [{ text, evidence: ['s1'] }] }, bundle);
    expect(checked).toMatchObject({ answer: { chain: [{ text: printable(text) }] } });
  });

  it('for any input, only a valid answer is accepted', () => {
    const piece = fc.oneof(
      fc.constantFrom(...anomalyClasses, ...Object.keys(ACTIONS)),
      fc.constantFrom(...names, 's1', 'e1', 'v2', 's9', '__proto__', 'replica-9'),
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.double(),
      fc.jsonValue(),
    );
    const mostly = (good: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
      fc.oneof({ weight: 15, arbitrary: good }, { weight: 1, arbitrary: piece });
    const list = (of: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.array(of, { maxLength: 9 });
    const near = fc.record(
      {
        anomaly: mostly(fc.constantFrom(...anomalyClasses)),
        component: mostly(fc.constantFrom(...names)),
        chain: list(
          fc.oneof(
            piece,
            fc.record({
              text: fc.string({ unit: 'binary', minLength: 1, maxLength: 260 }),
              evidence: list(mostly(fc.constantFrom('s1', 's2', 'e1', 'v1'))),
            }),
            { weight: 9, arbitrary: fc.constant({ text: 'it is so', evidence: ['s1'] }) },
          ),
        ),
        action: mostly(fc.constantFrom(...Object.keys(ACTIONS))),
        confidence: mostly(fc.double({ min: 0, max: 1, noNaN: true })),
        alternatives: mostly(fc.constant([])),
      },
      { noNullPrototype: false },
    );
    const known = evidenceIds(bundle);
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(fc.anything(), near), (answer) => {
        const checked = checkAnswer(answer, bundle);
        if ('rejected' in checked) {
          expect(checked.rejected.length).toBeGreaterThan(0);
          expect(checked.rejected.length).toBeLessThan(LIMITS.message - 100);
          expect(printable(checked.rejected)).toBe(checked.rejected);
          return;
        }
        accepted += 1;
        expect(checkAnswer(checked.answer, bundle)).toEqual(checked);
        expect(names).toContain(checked.answer.component);
        for (const { component } of checked.answer.alternatives) expect(names).toContain(component);
        for (const { evidence, text } of checked.answer.chain) {
          expect(printable(text)).toBe(text);
          expect(evidence.every((id) => known.has(id))).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
    expect(accepted).toBeGreaterThan(5);
  });
});
