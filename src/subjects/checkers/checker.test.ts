import { expect, it } from 'vitest';
import { namesOf } from '../../../test/fixtures/subjects/ratelimiter/judged.ts';
import type { HistoryEvent } from '../history/events.ts';
import { type Checker, Checks, code, compose, type Finding, type Fold } from './checker.ts';

const findingOf = (name: string, of: Partial<Finding> = {}): [string, Finding] => [
  name,
  {
    measures: { [name]: 1 },
    bounds: { [name]: 2 },
    atLeast: [name],
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
    composed(findingOf('a', broken(30)), findingOf('b', broken(20)), findingOf('c', { brokenAt: 10 })),
  ).toMatchObject({ isBroken: true, brokenAt: 20 });
  expect(composed(findingOf('a', broken()), findingOf('b', broken(20))).brokenAt).toBe(20);
  expect(composed(findingOf('a', broken())).brokenAt).toBeUndefined();
  expect(composed(findingOf('a'))).toMatchObject({ isBroken: false, brokenAt: undefined });
});

it('the first violated finding leads with its measures; evidence of pods comes last', () => {
  const unproven = [code('unproven c')];
  const all = composed(
    findingOf('a'),
    findingOf('b', { isBroken: true }),
    findingOf('c', { isBroken: true, unproven }),
  );
  expect(Object.keys(all.figures.measures)).toEqual(['b', 'a', 'c']);
  expect(all.figures).toMatchObject({ bounds: { a: 2, b: 2, c: 2 }, atLeast: ['b', 'a', 'c'] });
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
const counting: Fold<unknown, number> = { init: () => 0, step: (count) => count + 1 };
const count: Checker<number> = {
  name: 'count',
  finding: (found) => ({ measures: { count: found } }),
};

it.each<[string, Fold<unknown, number>]>([
  ['begins', { ...counting, init: fail }],
  ['takes an event', { ...counting, step: fail }],
])('a fold that throws as it %s leaves all findings unproven', (_, fold) => {
  const errors: unknown[] = [];
  const checks = new Checks({ fold, checkers: [count] }, {}, (error) => errors.push(error));
  checks.take(EVENT);
  expect(checks.failures).toEqual([{ code: 'CheckerFailed', message: 'first' }]);
  expect(checks.findings().get('count')).toEqual({ unproven: checks.failures });
  expect(errors).toEqual([FIRST]);
});

it('a checker that throws hides none of the other findings', () => {
  const errors: unknown[] = [];
  const checkers = [{ name: 'bad', finding: fail }, count];
  const checks = new Checks({ fold: counting, checkers }, {}, (error) => errors.push(error));
  checks.take(EVENT);
  checks.findings();
  checks.take(EVENT);
  const findings = checks.findings();
  expect([...findings.keys()]).toEqual(['bad', 'count']);
  expect(findings.get('count')?.measures).toEqual({ count: 2 });
  expect(checks.failures).toEqual([{ code: 'CheckerFailed', message: 'first' }]);
  expect(errors).toEqual([FIRST]);
});

it('a violation that was found is unproven once its checker throws', () => {
  const finding = (found: number): Finding => (found === 1 ? { isBroken: true } : fail());
  const checkers = [{ name: 'broken', finding }];
  const checks = new Checks({ fold: counting, checkers }, {}, () => undefined);
  checks.take(EVENT);
  expect(checks.findings().get('broken')).toEqual({ isBroken: true });
  checks.take(EVENT);
  expect(checks.findings().get('broken')).toEqual({ isBroken: true, unproven: checks.failures });
  expect(checks.failures).toHaveLength(1);
});
