/**
 * Lets Redis itself refuse a pause that comes too late. Whoever works on a Redis takes charge of it first, by a
 * write on one key that all share. A pause is sent in a transaction that Redis carries out only if nobody else has
 * taken charge since. So once a successor's write is answered, a CLIENT PAUSE of its predecessor does nothing,
 * however long it was on its way, and the count of pauses does not change behind the successor's back.
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
export class PauseFence {
  #token: string | undefined;
  /** The connection on which Redis watches for others. */
  #watching: Redis | undefined;

  /** From the answer on no pause is carried out that was not begun after it by this session. For `ms` milliseconds. */
  async takeCharge(redis: Redis, ms: number): Promise<void> {
    // What is watched is void after a write of our own, too, so the next pause needs another connection.
    if (this.#watching) await endOf(this.#watching);
    const token = randomUUID();
    this.#token = token;
    requireOk('SET', await redis.set(FENCE_KEY, token, 'PX', Math.ceil(ms)));
  }

  /** Has Redis watch for others from now on, so that little has to be sent at the moment of the pause. @throws NotInChargeError */
  async watch(redis: Redis): Promise<void> {
    if (this.#watching === redis) return;
    const [watched, token] = await Promise.all([redis.call('WATCH', FENCE_KEY), redis.get(FENCE_KEY)]);
    requireOk('WATCH', watched);
    if (this.#token === undefined || token !== this.#token) throw new NotInChargeError();
    this.#watching = redis;
  }

  /** Begins the transaction. What is sent over this connection is only queued then, until `pause`. @throws NotInChargeError */
  async begin(redis: Redis): Promise<void> {
    await this.watch(redis);
    this.#watching = undefined;
    // Awaited, for without it the pause would be carried out whoever is in charge.
    requireOk('MULTI', await redis.call('MULTI'));
  }

  /** CLIENT PAUSE for writes, after `begin`, and the end of the transaction. @throws NotInChargeError, or what Redis said */
  async pause(redis: Redis, ms: number): Promise<void> {
    const [queued, done] = await Promise.all([
      redis.call('CLIENT', 'PAUSE', String(ms), 'WRITE'),
      redis.call('EXEC'),
    ]);
    requireQueued('CLIENT PAUSE', queued);
    if (done === null) throw new NotInChargeError();
    const [reply] = asList('EXEC', done);
    if (reply instanceof Error) throw reply;
    requireOk('CLIENT PAUSE', reply);
  }
}

/** Ends a connection, and waits until that is known: until then it passes for one that stands. */
export async function endOf(redis: Redis): Promise<void> {
  if (redis.status === 'end') return;
  const ended = new Promise<void>((resolve) => redis.once('end', () => resolve()));
  redis.disconnect();
  await within(ended, REDIS_TIMEOUT_MS);
}
