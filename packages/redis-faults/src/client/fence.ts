/**
 * A fencing token, checked by Redis: Redis itself rejects what arrives too late. A session takes charge of a Redis
 * first, by a write on one key that all sessions share. A pause is sent in a transaction that Redis carries out only if
 * no other session has taken charge since. So once a successor's write is answered, a CLIENT PAUSE of its predecessor
 * has no effect, however late it arrives, and the count of pauses stays unchanged.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { within } from '../waiting.ts';
import { REDIS_TIMEOUT_MS } from './redis-link.ts';
import { MOST_ELEMENTS } from './reply-gate.ts';
import { asList, requireOk } from './reply-types.ts';

/** One for each server; the operator's rights include `~chaosdemo:probe:*`. @param tag as of `tagFor` */
export function fenceKey(tag = ''): string {
  return `chaosdemo:probe:${tag}fence`;
}

/** Another session is in charge of this Redis by now, or none is. Nothing was carried out. */
export class NotInChargeError extends Error {
  override readonly name = 'NotInChargeError';

  constructor() {
    super('another operator, or another run, has taken this Redis over since the key was set up');
  }
}

/** A command with its arguments. */
export type Command = readonly [string, ...string[]];

/** The charge of one session, over any of its connections. */
export class Fence {
  readonly #key: string;
  #token: string | undefined;

  /** @param tag as {@link fenceKey} */
  constructor(tag?: string) {
    this.#key = fenceKey(tag);
  }

  /** From the answer on, for `ms` milliseconds, Redis carries out no transaction that began before this. */
  async takeCharge(redis: Redis, ms: number): Promise<void> {
    const token = randomUUID();
    this.#token = token;
    requireOk('SET', await redis.set(this.#key, token, 'PX', Math.ceil(ms)));
  }

  /**
   * Makes Redis watch for other sessions, and begins the transaction. Later commands on this connection are only queued,
   * until `carryOut`.
   * @throws NotInChargeError
   */
  async begin(redis: Redis): Promise<void> {
    const [watched, token] = await Promise.all([redis.call('WATCH', this.#key), redis.get(this.#key)]);
    requireOk('WATCH', watched);
    if (token !== this.#token) throw new NotInChargeError();
    // Awaited: without MULTI the commands would be carried out whichever session is in charge.
    requireOk('MULTI', await redis.call('MULTI'));
  }

  /**
   * Sends these commands, after `begin`, and the end of the transaction.
   * @param name of the commands, for messages
   * @returns their replies, in order
   * @throws NotInChargeError, or the first error that Redis answered
   */
  async carryOut(redis: Redis, name: string, commands: readonly Command[]): Promise<readonly unknown[]> {
    const queueing = this.#queue(redis, name, commands);
    const carryingOut = redis.call('EXEC');
    // An error of a command has the reason, and that of EXEC has none.
    carryingOut.catch(() => undefined);
    await queueing;
    const done = await carryingOut;
    if (done === null) throw new NotInChargeError();
    const results = asList('EXEC', done);
    const failure = results.find((result) => result instanceof Error);
    if (failure) throw failure;
    return results;
  }

  /**
   * Sends these commands, after `begin`, and ends the connection, and with it the transaction: none is carried out.
   * @throws the first error that Redis answered, such as of a missing right
   */
  async rehearse(redis: Redis, name: string, commands: readonly Command[]): Promise<readonly []> {
    await this.#queue(redis, name, commands);
    await endOf(redis);
    return [];
  }

  async #queue(redis: Redis, name: string, commands: readonly Command[]): Promise<void> {
    // A longer reply to EXEC would be rejected after Redis has carried everything out.
    if (commands.length > MOST_ELEMENTS) {
      throw new RangeError(`${name}: at most ${MOST_ELEMENTS} commands in one transaction`);
    }
    const replies = await Promise.all(commands.map(([command, ...args]) => redis.call(command, ...args)));
    for (const queued of replies) requireOk(name, queued, 'QUEUED');
  }
}

/** Ends a connection, and waits until that is known: until then it appears open. */
export async function endOf(redis: Redis): Promise<void> {
  if (redis.status === 'end') return;
  const ended = new Promise<void>((resolve) => redis.once('end', () => resolve()));
  redis.disconnect();
  await within(ended, REDIS_TIMEOUT_MS);
}
