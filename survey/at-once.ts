/** Work that is done at the same time, and work that is done in turn. */

/**
 * Does `work` for each item, `most` at once, in order; `lane` is 0 to `most` - 1, and no two at once have the same.
 * Throws what the first to fail threw, once all have ended; nothing is begun after that.
 */
export async function eachAtOnce<T>(
  items: readonly T[],
  most: number,
  work: (item: T, lane: number) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const failures: unknown[] = [];
  const lanes = Array.from({ length: Math.min(most, items.length) }, async (_, lane) => {
    for (let next = left.next(); !next.done && failures.length === 0; next = left.next()) {
      await work(next.value, lane).catch((error: unknown) => failures.push(error));
    }
  });
  await Promise.all(lanes);
  if (failures.length > 0) throw failures[0];
}

/** A function that runs its tasks one after the other, in the order of its calls. */
export function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return async (work) => {
    const mine = last.then(work, work);
    last = mine;
    return await mine;
  };
}
