/** From a check of a Redis to the admission of an object. */
import { Refusal } from '../../targets/refusal.ts';
import { RedisRefusal } from './redis-refusal.ts';

/** The result of a check. @throws {Refusal} why that Redis must not be disturbed; any other error of the check */
export async function asRefusal<T>(check: Promise<T>): Promise<T> {
  try {
    return await check;
  } catch (error) {
    if (error instanceof RedisRefusal) throw new Refusal(error.reason, error.message, { cause: error });
    throw error;
  }
}
