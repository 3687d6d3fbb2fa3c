import { expect, it } from 'vitest';
import type { ScenarioSpec } from '../../../api/index.ts';
import { keysMadeFor } from './made-keys.ts';

const scenario = (name: string, type: string): ScenarioSpec => ({
  name,
  type,
  countdown: '3s',
  expect: 'Any',
  ...(type === 'GhostAllowing' && { ghostAllowing: { trials: 2, multiplier: 3, settle: '5s' } }),
});

it.each([
  ['of bursts', 'demo-0-1-burst', ['demo-0-1-burst', 'demo-0-1-burst-trial-2']],
  ['of the second attempt', 'demo-0-1-burst-2', ['demo-0-1-burst-2', 'demo-0-1-burst-2-trial-2']],
  // One scenario is called as another one ends.
  [
    'of a scenario whose name ends like another',
    'demo-0-1-my-drift',
    ['demo-0-1-my-drift', 'demo-0-1-my-drift-trial-2'],
  ],
  ['of a pause', 'demo-0-1-drift', ['demo-0-1-drift']],
  ['of nothing that the spec has any more', 'demo-0-1-gone', ['demo-0-1-gone']],
])('names every key %s', (_, fixture, keys) => {
  const spec = [
    scenario('drift', 'CounterDrift'),
    scenario('my-drift', 'GhostAllowing'),
    scenario('burst', 'GhostAllowing'),
  ];
  expect(keysMadeFor(fixture, spec)).toEqual(keys);
});
