import { expect, it } from 'vitest';
import { namesOf } from '../../../test/fixtures/subjects/ratelimiter/judged.ts';
import type { HistoryEvent } from '../history/events.ts';
import { type Checker, Checks, code, compose, type Finding } from './checker.ts';

const finding = (name: string, of: Partial<Finding> = {}): [string, Finding] => [
  name,
  {
    measures: [{ name, value: 1, unit: 'ms' }],
    missing: [code(`missing ${name}`)],
    evidence: [false, code(`evidence ${name}`)],
    byPod: [code(`pod ${name}`), undefined],
    ...of,
  },
];
const composed = (...findings: [string, Finding][]) => compose(new Map(findings));

it('findings are violated since the first moment of those that are violated', () => {
  const broken = (brokenAt?: number) => ({ isBroken: true, brokenAt });
  expect(
    composed(finding('a', broken(30)), finding('b', broken(20)), finding('c', { brokenAt: 10 })),
  ).toMatchObject({ isBroken: true, brokenAt: 20 });
  expect(composed(finding('a', broken()), finding('b', broken(20))).brokenAt).toBe(20);
  expect(composed(finding('a', broken())).brokenAt).toBeUndefined();
  expect(composed(finding('a'))).toMatchObject({ isBroken: false, brokenAt: undefined });
});

it('the first violated finding leads with its measures; evidence of pods comes last', () => {
  const unproven = [code('unproven c')];
  const all = composed(
    finding('a'),
    finding('b', { isBroken: true }),
    finding('c', { isBroken: true, unproven }),
  );
  expect(all.measures.map(({ name }) => name)).toEqual(['b', 'a', 'c']);
  // What a violated finding lacks no longer matters, unless its violation is not proven.
  expect(namesOf(all.shortfalls)).toEqual(['missing a', 'unproven c']);
  expect(namesOf(all.unproven)).toEqual(['unproven c']);
  expect(namesOf(all.evidence)).toEqual([
    'evidence a',
    'evidence b',
    'evidence c',
    'pod a',
    'pod b',
    'pod c',
  ]);
});

const EVENT: HistoryEvent = { kind: 'dropped', events: 1 };
const FIRST = new Error('first');
const fail = (): never => {
  throw FIRST;
};
/** Counts events. */
const counting = { init: () => 0, step: (count: number) => count + 1 };
const counts = (name: string, find: (count: number) => Finding): Checker<unknown, number> => ({
  ...counting,
  name,
  finding: find,
});
const count = counts('count', (found) => ({ measures: [{ name: 'count', value: found, unit: 'events' }] }));

it('checkers with the same fold share one state', () => {
  let steps = 0;
  const fold = { init: () => 0, step: (state: number) => state + (steps += 1) };
  const checks = new Checks(
    [
      { ...count, ...fold },
      { ...count, ...fold, name: 'other' },
    ],
    {},
    fail,
  );
  checks.take(EVENT);
  expect([steps, checks.state(fold)]).toEqual([1, 1]);
});

it.each<[string, Checker<unknown, number>]>([
  ['begins', { ...count, name: 'bad', init: fail, step: (state: number) => state }],
  ['takes an event', { ...count, name: 'bad', step: fail }],
  ['makes its finding', counts('bad', fail)],
])('a checker that throws as it %s hides none of the other findings', (_, bad) => {
  const errors: unknown[] = [];
  const checks = new Checks([bad, count], {}, (error) => errors.push(error));
  checks.take(EVENT);
  checks.findings();
  checks.take(EVENT);
  const findings = checks.findings();
  expect([...findings.keys()]).toEqual(['bad', 'count']);
  expect(findings.get('count')?.measures).toMatchObject([{ value: 2 }]);
  expect(checks.failures).toEqual([{ code: 'CheckerFailed', message: 'first' }]);
  expect(errors).toEqual([FIRST]);
});

it('a violation that was found is unproven once its checker throws', () => {
  const broken = counts('broken', (found) => (found === 1 ? { isBroken: true } : fail()));
  const checks = new Checks([broken], {}, () => undefined);
  checks.take(EVENT);
  expect(checks.findings().get('broken')).toEqual({ isBroken: true });
  checks.take(EVENT);
  expect(checks.findings().get('broken')).toEqual({ isBroken: true, unproven: checks.failures });
  expect(checks.failures).toHaveLength(1);
});
