import { describe, expect, it } from 'vitest';
import type { ChaosDemo, FaultStatus } from '../api/index.ts';
import { Context } from './context.ts';
import { isPossiblyActive } from './fault-times.ts';
import { fixtureName, fixturesOf } from './fixtures.ts';
import { iso } from './time.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');

const fault = (changes: Partial<FaultStatus> = {}): FaultStatus => ({
  id: '1-a-1',
  plannedAt: iso(NOW),
  until: iso(NOW + 10_000),
  ...changes,
});

it.each<[string, FaultStatus, number, boolean]>([
  ['one that is announced', fault({ plannedAt: iso(NOW + 3000), until: iso(NOW + 13_000) }), NOW, true],
  ['one right after its time whose end was not seen', fault(), NOW + 14_999, true],
  ['one long after its time', fault(), NOW + 15_000, false],
  ['one whose end was seen', fault({ endedAt: iso(NOW + 1) }), NOW + 2, false],
  [
    'one with a forged end that no fault can have',
    fault({ until: '9999-01-01T00:00:00Z' }),
    NOW + 605_000,
    false,
  ],
  [
    'one that is planned for a time that no fault can be',
    fault({ plannedAt: '9999-01-01T00:00:00Z' }),
    NOW,
    false,
  ],
])('a fault that may be active %s', (_, written, now, active) => {
  expect(isPossiblyActive(written, now)).toBe(active);
});

const demoOf = (uid: string) => ({ metadata: { uid } }) as ChaosDemo;

it('the name of a fixture is used by no other attempt or session', () => {
  const name = (attempt: number, since: number) =>
    fixtureName(demoOf('abcdef12-3456'), 1, 'a', attempt, since);
  const names = [1, 2].flatMap((attempt) => [name(attempt, NOW), name(attempt, NOW + 1)]);
  expect(new Set(names).size).toBe(4);
});

describe('the fixtures of a run', () => {
  it('are those that the object itself can have made, whatever stands in its status', () => {
    const uid = 'abcdef12-3456';
    const demo = demoOf(uid);
    const own = fixtureName(demo, 1, 'a', 1, NOW);
    const again = fixtureName(demo, 1, 'a', 2, NOW);
    const foreign = [
      'customers',
      `-${uid.slice(0, 8)}-`,
      `customers:${own}`,
      `${own}/../customers`,
      own.replace('-1-a-', '-a-1-'),
    ];
    const ofOther = fixtureName(demoOf('99999999-1'), 1, 'a', 1, NOW);
    const faults = [own, again, ...foreign, ofOther].map((fixture) => ({ fault: { fixture } }));
    const context = { demo, draft: { scenarios: faults } } as unknown as Context;
    expect(fixturesOf(context)).toEqual([own, again]);
  });
});

describe('a wake', () => {
  const woken = (at: number) => {
    const context = new Context({ now: NOW, demo: { status: {} } } as Context);
    context.wake(at);
    return context.wakeAt;
  };

  it('an overdue wake is set a little later, so that it never loops without a pause', () => {
    expect(woken(NOW - 1)).toBe(NOW + 100);
  });
});
