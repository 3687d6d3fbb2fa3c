import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunSlots } from './run-slots.ts';

function setup({ max = 4, maxPerNamespace = 2 } = {}) {
  const given: string[] = [];
  const limits = { maxRuns: max, maxRunsPerNamespace: maxPerNamespace };
  const slots = new RunSlots(limits, (key) => given.push(key));
  return { given, slots };
}

describe('RunSlots', () => {
  it('run slots are free until either limit is reached; then they name the limit', () => {
    const { slots } = setup({ max: 3 });
    for (const key of ['a/1', 'a/2']) {
      expect(slots.obstacle(key)).toBeUndefined();
      slots.acquire(key);
    }
    expect(slots.obstacle('a/3')).toMatch(/^Waiting: 2 runs of namespace a .* namespace is 2/);
    expect(slots.obstacle('b/1')).toBeUndefined();
    slots.acquire('b/1');
    expect(slots.obstacle('c/1')).toMatch(/^Waiting: 3 runs of all .* is 3/);
    expect(slots.obstacle('a/1')).toBeUndefined();
  });

  it('closing a session frees the slot of its ended run, and requeues its object', () => {
    const { given, slots } = setup({ max: 1 });
    slots.acquire('a/1');
    slots.enqueue('b/1');
    slots.end('a/1');
    expect(slots.obstacle('a/1')).toContain('1 run of all namespaces');
    slots.enqueue('a/1');
    expect(given).toEqual([]);
    slots.ended('a/1');
    expect(given).toEqual(['b/1']);
    slots.release('b/1');
    expect(given).toEqual(['b/1', 'a/1']);
  });
});

const key = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 4 }))
  .map((part) => part.join('/'));
const step = fc.record({ do: fc.constantFrom('acquire', 'acquire', 'leave', 'end', 'ended'), key });

it('slots are never over their limit, and no object waits while one is free', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const [max, maxPerNamespace] = [4, 2];
      const taken = new Set<string>();
      const waiting = new Set<string>();
      const onSlotFree = (given: string): void => {
        waiting.delete(given);
        taken.add(given);
      };
      const slots = new RunSlots({ maxRuns: max, maxRunsPerNamespace: maxPerNamespace }, onSlotFree);
      for (const { do: what, key: about } of steps) {
        if (what === 'acquire' && slots.obstacle(about) === undefined) {
          slots.acquire(about);
          onSlotFree(about);
        } else if (what === 'acquire') {
          waiting.add(about);
          slots.enqueue(about);
        } else {
          // The slot of a run that is ending is free only after `ended`.
          if (what !== 'end') taken.delete(about);
          waiting.delete(about);
          if (what === 'end') slots.end(about);
          else slots.release(about);
        }
        const counts = Object.entries(Object.groupBy(taken, (name) => name.slice(0, 1)));
        expect(taken.size).toBeLessThanOrEqual(max);
        for (const [, names] of counts) expect(names?.length).toBeLessThanOrEqual(maxPerNamespace);
        for (const name of waiting) expect(slots.obstacle(`${name.slice(0, 1)}/new`)).toBeDefined();
        expect(slots.waiting).toBe(waiting.size);
      }
    }),
  );
});
