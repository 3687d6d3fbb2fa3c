import { describe, expect, it } from 'vitest';
import { lockSpec } from '../../../../../test/kit/planted-lock.ts';
import { plansOf } from '../../../scenarios/scenario-type.ts';
import { subjectOf } from '../../../subject.ts';
import { lockKind } from '../../kind.ts';
import type { ExclusionPlan } from './plan.ts';

const planOf = (...args: Parameters<typeof lockSpec>): ExclusionPlan =>
  plansOf(lockKind, lockSpec(...args))[0] as ExclusionPlan;

describe('contention for locks', () => {
  it('has two contenders on a pod, and more than the lock has slots', () => {
    expect([1, 3, 50].map((pods) => planOf().contenders(pods))).toEqual([2, 6, 8]);
    expect(planOf({ slots: 20 }).contenders(3)).toBe(21);
  });

  it('holds for less than the ttl, and some locks as long as a fault begins or ends', () => {
    const held = (plan: ExclusionPlan): number[] =>
      Array.from({ length: 200 }, (_, i) => plan.holdMs(() => (i % 20) / 20));
    expect(Math.max(...held(planOf({ ttl: '1s' })))).toBe(800);
    expect(Math.max(...held(planOf()))).toBeGreaterThan(1000);
    expect(Math.min(...held(planOf()))).toBeGreaterThanOrEqual(50);
  });

  it('waits for the ttl until slots have to return', () => {
    expect(planOf({ ttl: '30s' }).returnsWithinMs - planOf().returnsWithinMs).toBe(30_000);
  });

  it.each([
    ['too many contenders', { slots: 100 }, 404],
    ['a fault that no contender times out in', { fault: { duration: '1s' } }, 'callerTimeout'],
  ])('is not run with %s', (_, trial, what) => {
    const plan = planOf({ ...trial, callerTimeout: '1s' });
    expect(plan.unprovable(3)).toContain(String(what));
    expect(planOf().unprovable(3)).toBeUndefined();
  });

  it('is one stall if a spec has no scenarios', () => {
    const plans = plansOf(lockKind, { ...lockSpec(), scenarios: [] });
    expect(plans.map(({ scenario }) => scenario)).toEqual([
      { name: 'exclusion', type: 'Exclusion', expect: 'Held', countdown: '3s' },
    ]);
    expect(plans[0]?.faultTitle).toContain('10s');
  });

  it('has no chapter of a diagnosis, since no profile explains a lock', () => {
    const chapters = subjectOf(lockKind)
      .definition.chapters(lockSpec())
      .map(({ title }) => title);
    expect(chapters).toEqual([
      ...['Welcome', 'Cluster Health', 'Setup'],
      ...['Exclusion Chaos', 'Exclusion Detection', 'Recovery', 'Verdict'],
    ]);
  });
});
