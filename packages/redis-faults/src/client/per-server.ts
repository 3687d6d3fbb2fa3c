/** Lists with one item for each server of a store: one, or the masters of a Cluster. Pure. */

/** One item for each server, in the order of their pods' names. */
export type PerServer<T> = readonly [T, ...T[]];

/** One of each, in the same order. */
export function each<T, U>([first, ...others]: PerServer<T>, make: (item: T, i: number) => U): PerServer<U> {
  return [make(first, 0), ...others.map((item, i) => make(item, i + 1))];
}

/** Waits until all have settled. @throws the first error in their order, whichever came first */
export async function allOf<T>(all: PerServer<Promise<T>>): Promise<PerServer<T>> {
  await Promise.allSettled(all);
  const [first, ...others] = all;
  return [await first, ...(await Promise.all(others))];
}

/** The same list. @throws RangeError if it is empty */
export function asPerServer<T>([first, ...others]: readonly T[]): PerServer<T> {
  if (first === undefined) throw new RangeError('there is no server');
  return [first, ...others];
}
