import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EvidenceBundle, SIGNALS } from '../../src/evidence/index.ts';
import { leaksOf } from './leaks.ts';

const bundle: EvidenceBundle = {
  version: 'evidence/v2',
  components: [
    { name: 'replica-1', role: 'replica' },
    { name: 'store', role: 'store' },
    { name: 'client', role: 'client' },
  ],
  series: Object.keys(SIGNALS).map((signal, i) => ({
    id: `s${i + 1}`,
    component: 'replica-1',
    signal: signal as keyof typeof SIGNALS,
    points: [[0, 1]],
  })),
  events: [
    { id: 'e1', atMs: 0, component: 'store', text: 'a write has not been answered for 150 ms, and waits on' },
  ],
  invariant: { formula: 'sum(count-local) - count-stored <= bound', broken: true, values: [] },
};

describe('the leak check', () => {
  it('finds nothing in evidence as it should be, nor in what its signals mean', () => {
    expect(leaksOf(bundle)).toEqual([]);
    expect(
      leaksOf(
        Object.values(SIGNALS)
          .map(({ description }) => description)
          .join('\n'),
      ),
    ).toEqual([]);
  });

  it.each([
    ['Redis takes no writes', 'product'],
    ['the rate limiter denies', 'subject'],
    ['the pause has ended', 'fault'],
    ['a burst of 20', 'fault'],
    ['counter-drift', 'fault'],
    ['Chaos', 'fault'],
    ['in the countdown', 'fault'],
    ['it was injected', 'fault'],
    ['scenario 1', 'story'],
    ['demo-12-key', 'story'],
    ['the pod was deleted', 'place'],
    ['10.0.0.7:6379', 'place'],
    ['fd00:10:244::5 gives no answer', 'place'],
    ['2001:db8:0:1:0:0:0:7 gives no answer', 'place'],
    ['it pauses', 'fault'],
    ['it gives no answer:\npod 3', 'place'],
    ['a script in Lua', 'product'],
  ])('finds %j wherever it is put', (text, reveals) => {
    const [first] = bundle.events;
    const leaky = {
      ...bundle,
      events: [...(first ? [first] : []), { id: 'e2', atMs: 1, component: 'store', text }],
    };
    expect(leaksOf(leaky)).toContainEqual({ word: expect.any(String), reveals });
    expect(leaksOf({ ...bundle, invariant: { formula: text, broken: false, values: [] } })).not.toEqual([]);
  });

  it('finds a name that it is given, in any case and at any place', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('limiter-7d9f-x2x', 'gate', 'ghosts-1'),
        fc.nat(JSON.stringify(bundle).length),
        (name, at) => {
          const text = JSON.stringify(bundle);
          const leaky = text.slice(0, at) + name.toUpperCase() + text.slice(at);
          expect(leaksOf(leaky, [name])).toContainEqual({ word: name, reveals: 'name' });
        },
      ),
    );
  });
});
