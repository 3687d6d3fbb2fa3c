import { expect, it } from 'vitest';
import { controlName } from '../../../demo/fixtures.ts';
import { keysMadeFor } from './index.ts';

it('made keys are the key of a fault, those of all possible trials, and callers', () => {
  const keys = keysMadeFor('demo-0-1-burst-2');
  expect(keys).toHaveLength(27);
  expect(keys).toEqual(
    expect.arrayContaining([
      'demo-0-1-burst-2',
      'demo-0-1-burst-2-trial-10',
      ...['b', 'r', 'a0', 'a1', 'a2', 'w0', 'w1'].map((caller) => `demo-0-1-burst-2-${caller}`),
    ]),
  );
});

it('names both keys of a control, and no other', () => {
  const control = controlName('demo-x', 'abcdef12-3456', 7, 1_700_000_000_000);
  expect(control).toBe('demo-x-abcdef12-7--control-loyw3v28');
  expect(keysMadeFor(control)).toEqual([`${control}-counting`, `${control}-denying`]);
});
