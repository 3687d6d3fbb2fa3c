import { expect, it } from 'vitest';
import { stops } from './kill-switch.ts';

it.each([
  [{ stop: 'true' }, true],
  [{ stop: 'yes' }, true],
  [{ stop: '' }, true],
  [{ stop: 'false' }, false],
  [{ stop: ' False\n' }, false],
  [{ other: 'true' }, false],
  [{}, false],
  [undefined, false],
])('stops reads %j as %s', (data, on) => {
  expect(stops(data)).toBe(on);
});
