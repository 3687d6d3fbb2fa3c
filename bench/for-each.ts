/** Requests of the bench that are under way at once where it makes or deletes many objects. */
export const AT_ONCE = 16;

/** Does something for each item, for several of them at once. @throws what `work` throws first */
export async function forEach<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  atOnce = AT_ONCE,
): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
