/**
 * Stops parts one after the other, in this order, and each of them also where one
 * before it could not be stopped. @throws the first failure, after the last part
 */
export async function stopEach(stops: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const stop of stops) {
    try {
      await stop();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
