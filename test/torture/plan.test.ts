import { expect, it } from 'vitest';
import { planOf } from './plan.ts';
import { kindOf, lineOf } from './step.ts';

const OPTIONS = { lanes: 3, ownApiServer: true };

it('makes the same plan of the same seed, and other plans of others', () => {
  expect(planOf(7, OPTIONS)).toEqual(planOf(7, OPTIONS));
  const plans = new Set(
    Array.from({ length: 100 }, (_, seed) => JSON.stringify(planOf(seed, OPTIONS).steps)),
  );
  expect(plans.size).toBe(100);
});

it('a plan disturbs every lane, and a few hundred plans have every kind', () => {
  const plans = Array.from({ length: 300 }, (_, seed) => planOf(seed, OPTIONS));
  for (const { steps } of plans) expect(new Set(steps.map(({ lane }) => lane)).size).toBe(3);
  const kinds = new Set(plans.flatMap(({ steps }) => steps.map(({ action }) => kindOf(action))));
  // operator 5, node 2, redis 2, API server 1, its proxy 9, two links with 4 each, object 2.
  expect(kinds.size).toBe(29);
});

it('does not touch an API server that is not its own', () => {
  for (let seed = 0; seed < 300; seed += 1) {
    for (const { action } of planOf(seed, { lanes: 1, ownApiServer: false }).steps) {
      expect(action.to).not.toBe('api-server');
    }
  }
});

it('does what the seed always did', () => {
  const { lanes, steps } = planOf(4003, OPTIONS);
  expect(lanes.map(({ pauseMs }) => pauseMs)).toEqual([2000, 1500, 1500]);
  expect(steps.filter(({ action }) => !action.what.endsWith('Cell'))).toHaveLength(7);
  expect(steps.slice(0, 3).map(lineOf)).toEqual([
    'lane 0 at CLIENT PAUSE or SENTINEL FAILOVER, passed on: node 2 freeze for 2493 ms',
    'lane 0 at the first request of a burst, not passed on yet: api both 500 for 3116 ms',
    'lane 1 after 2627 ms: redis-link cut for 1951 ms',
  ]);
});

it('has every fault of an outage in a few plans, and kills fault proxies', () => {
  const plans = Array.from({ length: 60 }, (_, seed) => planOf(seed, { ...OPTIONS, http: true }));
  const faults = (number: number) => new Set(plans.map(({ lanes }) => lanes[number]?.fault));
  expect(faults(3)).toEqual(new Set(['Stall', 'Disconnect', 'DataLoss']));
  expect(faults(4)).toEqual(new Set(['Refuse', 'StalePrimary', 'Blackhole', 'Latency']));
  const kills = plans.flatMap(({ steps }) => steps.filter(({ action }) => action.to === 'fault-proxy'));
  expect(kills.length).toBeGreaterThan(5);
  expect(new Set(kills.map(({ lane }) => lane))).toEqual(new Set([4]));
});
