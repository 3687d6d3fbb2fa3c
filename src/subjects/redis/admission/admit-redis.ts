/** The admission of a Redis for an object: why it must not be disturbed becomes a refusal in its status. */
import * as admission from '@chaosdemo/redis-faults';
import { RedisRefusal } from '@chaosdemo/redis-faults';
import { Refusal } from '../../targets/refusal.ts';

export type { AdmissionOptions, AdmittedRedis } from '@chaosdemo/redis-faults';

/** As {@link admission.admitRedis}. @throws {Refusal} instead of RedisRefusal */
export async function admitRedis(
  ...args: Parameters<typeof admission.admitRedis>
): ReturnType<typeof admission.admitRedis> {
  return await admission.admitRedis(...args).catch(refuse);
}

/** As {@link admission.findMasters}. @throws {Refusal} instead of RedisRefusal */
export async function findMasters(
  ...args: Parameters<typeof admission.findMasters>
): ReturnType<typeof admission.findMasters> {
  return await admission.findMasters(...args).catch(refuse);
}

function refuse(error: unknown): never {
  if (error instanceof RedisRefusal) throw new Refusal(error.reason, error.message, { cause: error });
  throw error;
}
