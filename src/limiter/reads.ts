/** The reading side: everything that goes over the reader connection. Reads are answered during a write pause. */
import type { Redis } from 'ioredis';
import { TIMED_OUT, within } from './deadline.ts';
import type { Counts } from './node-window.ts';
import type { RedisClock } from './redis-clock.ts';
import { limitKey, parseCounts, parseLimit, type StoredLimit } from './redis-layout.ts';

/** A read or ping without an answer by then has failed. */
const READ_TIMEOUT_MS = 2_000;

/** Most hashes asked for in one round trip. */
const BATCH = 256;

/** All methods reject when the connection is down or gives no answer within its timeout. */
export class Reads {
  readonly #redis: Redis;
  readonly #clock: RedisClock;

  constructor(redis: Redis, clock: RedisClock) {
    this.#redis = redis;
    this.#clock = clock;
  }

  /** Asks Redis for its time and tells the clock. */
  async time(): Promise<void> {
    const sentAt = this.#clock.mark();
    // Typed as numbers, the reply really consists of strings.
    const [seconds = Number.NaN, microseconds = Number.NaN] = (await answerOf(this.#redis.time())).map(
      Number,
    );
    this.#clock.observe(sentAt, [seconds, microseconds]);
  }

  /** What stands at each key's definition, in the order asked. */
  async limits(keys: readonly string[]): Promise<StoredLimit[]> {
    const hashes = await this.#hashes(keys.map(limitKey));
    return keys.map((key, i) => parseLimit(key, hashes[i] ?? {}));
  }

  /** What Redis counted in each window, in the order asked. */
  async counts(redisKeys: readonly string[]): Promise<Counts[]> {
    return (await this.#hashes(redisKeys)).map(parseCounts);
  }

  async #hashes(keys: readonly string[]): Promise<Record<string, string>[]> {
    const hashes: Record<string, string>[] = [];
    for (let i = 0; i < keys.length; i += BATCH) {
      // Sent back to back, the commands of a batch share one round trip.
      const batch = keys.slice(i, i + BATCH);
      hashes.push(...(await answerOf(Promise.all(batch.map(async (key) => await this.#redis.hgetall(key))))));
    }
    return hashes;
  }
}

/** Waits for an answer of Redis. @throws its error, or one that says that there was none in time */
export async function answerOf<T>(reply: Promise<T>): Promise<T> {
  const answer = await within(reply, READ_TIMEOUT_MS);
  if (answer === TIMED_OUT) throw new Error(`Redis gave no answer within ${READ_TIMEOUT_MS} ms`);
  return answer;
}
