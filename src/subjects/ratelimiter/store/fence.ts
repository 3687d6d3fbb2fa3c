/**
 * Lets Redis itself reject what comes too late. Whoever works on a Redis takes charge of it first, by a write on one
 * key that all share. A pause is sent in a transaction that Redis carries out only if nobody else has taken charge
 * since. So once a successor's write is answered, a CLIENT PAUSE of its predecessor does nothing, however long it was
 * on its way, and the count of pauses does not change behind the successor's back. It is a fencing token, checked by
 * Redis.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { within } from '../waiting.ts';
import { REDIS_TIMEOUT_MS } from './redis-link.ts';
import { asList, requireOk, requireQueued } from './reply-types.ts';

/** One for each Redis; the rights of the operator hold `~chaosdemo:probe:*`. */
export const FENCE_KEY = 'chaosdemo:probe:fence';

/** Somebody else is in charge of this Redis by now, or nobody is. Nothing was carried out. */
export class NotInChargeError extends Error {
  override readonly name = 'NotInChargeError';

  constructor() {
    super('another operator, or another run, has taken this Redis over since the key was set up');
  }
}

/** The charge of one session, over whichever of its connections. */
export class Fence {
  #token: string | undefined;
  /** Connections on which Redis watches for others. */
  readonly #watching = new Set<Redis>();

  /** From the answer on, for `ms` milliseconds, Redis carries out no transaction that began before this. */
  async takeCharge(redis: Redis, ms: number): Promise<void> {
    // What is watched is void after a write of our own, too, so the next transaction needs another connection.
    await Promise.all([...this.#watching].map(endOf));
    this.#watching.clear();
    const token = randomUUID();
    this.#token = token;
    requireOk('SET', await redis.set(FENCE_KEY, token, 'PX', Math.ceil(ms)));
  }

  /** Has Redis watch for others from now on, so that little has to be sent at the moment of a fault. @throws NotInChargeError */
  async watch(redis: Redis): Promise<void> {
    if (this.#watching.has(redis)) return;
    const [watched, token] = await Promise.all([redis.call('WATCH', FENCE_KEY), redis.get(FENCE_KEY)]);
    requireOk('WATCH', watched);
    if (this.#token === undefined || token !== this.#token) throw new NotInChargeError();
    this.#watching.add(redis);
  }

  /** Begins the transaction. What is sent over this connection is only queued then, until `carryOut`. @throws NotInChargeError */
  async begin(redis: Redis): Promise<void> {
    await this.watch(redis);
    this.#watching.delete(redis);
    // Awaited, for without it the commands would be carried out whoever is in charge.
    requireOk('MULTI', await redis.call('MULTI'));
  }

  /**
   * These commands, after `begin`, and the end of the transaction.
   * @param name of the commands, for messages
   * @returns their replies, in order
   * @throws NotInChargeError, or the first error that Redis answered
   */
  async carryOut(
    redis: Redis,
    name: string,
    commands: readonly (readonly [string, ...string[]])[],
  ): Promise<readonly unknown[]> {
    const replies = await Promise.all([
      ...commands.map(([command, ...args]) => redis.call(command, ...args)),
      redis.call('EXEC'),
    ]);
    const done = replies.pop();
    for (const queued of replies) requireQueued(name, queued);
    if (done === null) throw new NotInChargeError();
    const results = asList('EXEC', done);
    const failure = results.find((result) => result instanceof Error);
    if (failure) throw failure;
    return results;
  }
}

/** Ends a connection, and waits until that is known: until then it passes for one that stands. */
export async function endOf(redis: Redis): Promise<void> {
  if (redis.status === 'end') return;
  const ended = new Promise<void>((resolve) => redis.once('end', () => resolve()));
  redis.disconnect();
  await within(ended, REDIS_TIMEOUT_MS);
}
