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

/** The result of `judge`, or the refusal that it throws. @throws any other error of `judge` */
export function orRedisRefusal<T>(judge: () => T): T | RedisRefusal {
  try {
    return judge();
  } catch (error) {
    if (error instanceof RedisRefusal) return error;
    throw error;
  }
}

/** The user of a server lacks a right for a failover. @param each "node" */
export function lacksFailoverRight(name: string, port: number, each: string, right: string): RedisRefusal {
  return new RedisRefusal(
    'RedisUnreachable',
    `${name}: the ACL user lacks a right that fault type Failover needs. Run on each ${each}, with the username of its Secret: redis-cli -p ${port} ACL SETUSER <username> +${right}`,
  );
}
