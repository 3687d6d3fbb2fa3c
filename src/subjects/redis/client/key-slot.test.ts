import { expect, it } from 'vitest';
import { SLOTS, slotOf, tagFor } from './key-slot.ts';

it('is that of the Cluster specification', () => {
  // The first from the specification, the others from its documentation of CLUSTER KEYSLOT and of hash tags.
  expect(slotOf('123456789')).toBe(0x31c3 % SLOTS);
  expect(slotOf('somekey')).toBe(11_058);
  expect(slotOf('foo')).toBe(12_182);
});

it('puts a key into each slot, with the smallest number for several', () => {
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const [, tag = ''] = /^\{(\d+)\}:$/.exec(tagFor([slot])) ?? [];
    expect(slotOf(tag)).toBe(slot);
  }
  const all = Array.from({ length: SLOTS }, (_, slot) => slot);
  expect(tagFor(all)).toBe('{0}:');
  expect(tagFor(all.toReversed())).toBe('{0}:');
});
