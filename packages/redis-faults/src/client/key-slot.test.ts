import { expect, it } from 'vitest';
import { SLOTS, slotOf, tagFor } from './key-slot.ts';

it('is that of the Cluster specification', () => {
  // The first from the specification, the others from its documentation of CLUSTER KEYSLOT and of hash tags.
  expect(slotOf('123456789')).toBe(0x31c3 % SLOTS);
  expect(slotOf('somekey')).toBe(11_058);
  expect(slotOf('foo')).toBe(12_182);
});

it.each([
  // As CLUSTER KEYSLOT of Redis 7.0.15 answers.
  ['{foo}.bar', 12_182],
  ['rl:{foo}:{bar}', 12_182],
  ['{{foo}}', 13_308],
  ['foo{}{bar}', 8363],
  ['}foo{bar', 7622],
  ['ü', 9552],
  ['rl:{ü}', 9552],
  ['foo{bar}{zap}', 5061],
])('of %s is that of the bytes of its tag: %i', (key, slot) => {
  expect(slotOf(key)).toBe(slot);
});

it('puts a key into each slot, with the smallest number for several', () => {
  for (let slot = 0; slot < SLOTS; slot += 101) {
    const [, tag = ''] = /^\{(\d+)\}:$/.exec(tagFor([[slot, slot]])) ?? [];
    expect(slotOf(tag)).toBe(slot);
  }
  expect(tagFor([[0, SLOTS - 1]])).toBe('{0}:');
  const halves = [
    [SLOTS / 2, SLOTS - 1],
    [0, SLOTS / 2 - 1],
  ] as const;
  expect(tagFor(halves)).toBe('{0}:');
});
