import { describe, expect, it } from 'vitest';
import { FairQueue } from './fair-queue.ts';

const drained = <T>(queue: FairQueue<T>): T[] => {
  const items: T[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item);
  return items;
};

describe('FairQueue', () => {
  it('takes one of each group in turn, and within a group the first that came', () => {
    const queue = new FairQueue<string>();
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.push(item.slice(0, 1), item);
    expect([queue.size, queue.sizeOf('a'), queue.sizeOf('z')]).toEqual([6, 3, 0]);
    expect(drained(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    expect(queue.size).toBe(0);
  });

  it('lets a newcomer wait for one item of each other group, however many those have', () => {
    const queue = new FairQueue<number>();
    for (let item = 0; item < 1000; item += 1) queue.push('busy', item);
    expect(queue.shift()).toBe(0);
    queue.push('stranger', -1);
    expect([queue.shift(), queue.shift()]).toEqual([1, -1]);
  });

  it('gives a group no second turn for having been empty in between', () => {
    const queue = new FairQueue<string>();
    queue.push('a', 'a1');
    queue.push('b', 'b1');
    expect(queue.shift()).toBe('a1');
    queue.push('a', 'a2');
    expect(drained(queue)).toEqual(['b1', 'a2']);
  });

  it('a fair queue keeps the place of an item pushed again, and drops a deleted one', () => {
    const queue = new FairQueue<string>();
    for (const item of ['x', 'y', 'x']) queue.push('a', item);
    expect(queue.size).toBe(2);
    expect([queue.delete('a', 'x'), queue.delete('a', 'x'), queue.delete('b', 'y')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(drained(queue)).toEqual(['y']);
  });

  it('passes over a group that may not go now, which keeps its turn', () => {
    const queue = new FairQueue<string>();
    for (const item of ['a1', 'b1', 'b2']) queue.push(item.slice(0, 1), item);
    const onlyB = (group: string): boolean => group === 'b';
    expect([queue.shift(onlyB), queue.shift(onlyB), queue.shift(onlyB)]).toEqual(['b1', 'b2', undefined]);
    expect(queue.shift()).toBe('a1');
  });
});
