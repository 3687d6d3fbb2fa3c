import { expect, it } from 'vitest';
import { compose, type Finding, seenInvariant } from './finding.ts';

const finding = (name: string, valid: Finding['valid'], brokenAt?: number): Finding => ({
  valid,
  ...(brokenAt !== undefined && { brokenAt }),
  measures: [{ name, value: 1, unit: 'ms' }],
  missing: valid === 'unknown' ? [`missing ${name}`] : [],
  evidence: [`evidence ${name}`],
  byPod: [`pod ${name}`],
});
const namesOf = (findings: readonly Finding[]) => compose(findings).measures.map(({ name }) => name);

it('findings are as valid as the worst of them', () => {
  const [good, unclear, bad] = [finding('a', true), finding('b', 'unknown'), finding('c', false)];
  const validOf = (...findings: readonly Finding[]) => compose(findings).valid;
  expect([validOf(), validOf(good), validOf(good, unclear)]).toEqual([true, true, 'unknown']);
  expect([validOf(unclear, bad, good), validOf(good, bad)]).toEqual([false, false]);
});

it('findings are broken since the first moment of those that are violated', () => {
  const brokenAtOf = (...findings: readonly Finding[]) => compose(findings).brokenAt;
  expect(brokenAtOf(finding('a', false, 30), finding('b', false, 20), finding('c', true, 10))).toBe(20);
  expect(brokenAtOf(finding('a', false), finding('b', false, 20))).toBe(20);
  expect(brokenAtOf(finding('a', false), finding('b', true, 10))).toBeUndefined();
});

it('the first violated finding leads with its measures; evidence of pods comes last', () => {
  const all = [finding('a', 'unknown'), finding('b', false), finding('c', false)];
  expect(namesOf(all)).toEqual(['b', 'a', 'c']);
  expect(namesOf([finding('a', true), finding('b', true)])).toEqual(['a', 'b']);
  const { byPod: _, ...plain } = finding('d', true);
  expect(compose([...all, plain])).toMatchObject({
    missing: ['missing a'],
    evidence: ['evidence a', 'evidence b', 'evidence c', 'evidence d', 'pod a', 'pod b', 'pod c'],
  });
});

it('an invariant is shown with the figures of the measure that decides', () => {
  const formula = { text: 'drift <= bound', measured: 'drift', bound: 'limit' };
  const reading = { summary: '', watchedUntil: 0, shortfalls: [], evidence: [] };
  const measure = { name: 'drift', value: 7, unit: 'requests' };
  const seen = (measures: readonly object[], brokenAt?: number) =>
    seenInvariant(formula, {
      ...reading,
      measures: measures as never,
      ...(brokenAt !== undefined && { brokenAt }),
    });
  expect(seen([{ ...measure, bound: 0 }, measure], 5)).toEqual({
    formula: 'drift <= bound',
    broken: true,
    brokenAt: 5,
    values: [
      { name: 'drift', value: 7 },
      { name: 'limit', value: 0 },
    ],
  });
  expect(seen([measure])).toEqual({
    formula: 'drift <= bound',
    broken: false,
    values: [{ name: 'drift', value: 7 }],
  });
  expect(seen([]).values).toEqual([]);
});
