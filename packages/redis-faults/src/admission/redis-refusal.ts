/** Why a Redis must not be disturbed. */
export type RefusalReason = 'RedisAuthInvalid' | 'RedisNotEligible' | 'RedisUnreachable' | 'SharedRedis';

/** A Redis must not be disturbed, until somebody changes something. The message states what. */
export class RedisRefusal extends Error {
  override readonly name = 'RedisRefusal';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The refusal of a server that is not suitable. @param what "redis-0 (10.0.0.7:6379) is ..." */
export function notEligible(what: string): RedisRefusal {
  return new RedisRefusal('RedisNotEligible', what);
}

/** The result of `look`, or the refusal that it throws. @throws any other error of `look` */
export async function orRedisRefusal<T>(look: () => Promise<T>): Promise<T | RedisRefusal> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof RedisRefusal) return error;
    throw error;
  }
}
