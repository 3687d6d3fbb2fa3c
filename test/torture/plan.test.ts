import { expect, it } from 'vitest';
import { kindOf, lineOf, planOf } from './plan.ts';

const OPTIONS = { lanes: 3, ownApiServer: true };

it('makes the same plan of the same seed, and other plans of others', () => {
  expect(planOf(7, OPTIONS)).toEqual(planOf(7, OPTIONS));
  const plans = new Set(
    Array.from({ length: 100 }, (_, seed) => JSON.stringify(planOf(seed, OPTIONS).steps)),
  );
  expect(plans.size).toBe(100);
});

it('has something happen in every lane, and every kind of disturbance within a few hundred plans', () => {
  const plans = Array.from({ length: 300 }, (_, seed) => planOf(seed, OPTIONS));
  for (const { steps } of plans) expect(new Set(steps.map(({ lane }) => lane)).size).toBe(3);
  const kinds = new Set(plans.flatMap(({ steps }) => steps.map(({ action }) => kindOf(action))));
  // operator 3, node 2, redis 2, API server 1, its proxy 9, two links with 4 each, object 2.
  expect(kinds.size).toBe(27);
});

it('leaves an API server alone that is not its own', () => {
  for (let seed = 0; seed < 300; seed += 1) {
    for (const { action } of planOf(seed, { lanes: 1, ownApiServer: false }).steps) {
      expect(action.to).not.toBe('api-server');
    }
  }
});

it('says of a step when it is taken, what is done, and for how long', () => {
  const when = { boundary: 'pause', passed: true } as const;
  const action = { to: 'operator', which: 'leader', what: 'kill' } as const;
  expect(lineOf({ lane: 1, when, action, forMs: 500 })).toBe(
    'lane 1 at CLIENT PAUSE, passed on: operator leader kill for 500 ms',
  );
});
