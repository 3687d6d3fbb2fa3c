/** The Redis of an API on this machine: whether it answers, who uses it, and the keys that a run leaves in it. */
import { type CommandCounts, grown, parseCommandCounts } from '@chaosdemo/redis-faults';
import { succeeds } from '@chaosdemo/redis-faults/waiting';
import { UsageError } from '@chaosdemo/settings';
import { Redis } from 'ioredis';
import { messageOf } from '../../api/index.ts';
import { sumOf } from '../../subjects/history/counts.ts';
import { KEY_PLACE } from '../../subjects/spec/pods-schema.ts';
import type { Place } from '../probe/manifest.ts';
import type { OwnRedis } from './target.ts';

const TIMEOUT_MS = 3_000;
/** Keys read by one SCAN. */
const SCAN_COUNT = 1_000;
/** A large Redis is scanned for so long only; keys that are left expire. */
const SCAN_MS = 5_000;

/** `redis.count` of a spec. */
export type Count = NonNullable<Place['redis']['count']>;

/** Types of keys that hold a count, by the names that Redis gives them; the fields of a hash have no common meaning. */
const TYPES: ReadonlyMap<string, NonNullable<Count['type']>> = new Map([
  ['string', 'String'],
  ['list', 'List'],
  ['set', 'Set'],
  ['zset', 'SortedSet'],
]);

/** One connection; connects with the first command. */
export class RedisOfApi {
  readonly #client: Redis;
  readonly #name: string;
  /** The reason of a failed connection; a command only reports that it is closed. */
  #lastError: unknown;

  constructor({ host, password, port, username }: OwnRedis) {
    this.#name = `Redis at ${host}:${port}`;
    this.#client = new Redis({
      host,
      port,
      ...(password !== undefined && { password }),
      ...(username !== undefined && { username }),
      lazyConnect: true,
      connectTimeout: TIMEOUT_MS,
      commandTimeout: TIMEOUT_MS,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    this.#client.on('error', (error) => {
      this.#lastError = error;
    });
  }

  /** Clients besides this one. @throws UsageError if it does not answer, with what to check */
  async clients(): Promise<number> {
    const info = await this.#client.info('clients').catch((error: unknown) => {
      throw new UsageError(
        `${this.#name}: ${messageOf(this.#lastError ?? error).replace(/\.$/, '')}. Check --redis: the address, and redis://user:password@ if it needs a login`,
      );
    });
    return Math.max(0, Number(/connected_clients:(\d+)/.exec(info)?.[1] ?? 1) - 1);
  }

  /** How often each command was called. */
  async counts(): Promise<CommandCounts> {
    return parseCommandCounts(await this.#client.info('commandstats'));
  }

  /** Commands on data since then. */
  async usedSince(before: CommandCounts): Promise<number> {
    return sumOf(grown(before, await this.counts()).values());
  }

  /** Removes keys that contain this mark, which no other program uses. Returns how many. */
  async removeKeys(mark: string): Promise<number> {
    let removed = 0;
    for await (const keys of this.#keysWith(mark)) removed += await this.#client.unlink(...keys);
    return removed;
  }

  /** Where a limiter counts the requests of this caller, as a spec has it; undefined: in no key with its name. */
  async countOf(caller: string): Promise<Count | undefined> {
    for await (const keys of this.#keysWith(caller)) {
      for (const key of keys) {
        const type = TYPES.get(await this.#client.type(key));
        if (!type || (type === 'String' && !/^\d{1,9}$/.test((await this.#client.get(key)) ?? ''))) continue;
        return { key: key.replaceAll(caller, KEY_PLACE), type };
      }
    }
    return undefined;
  }

  async *#keysWith(text: string): AsyncGenerator<readonly string[]> {
    const deadline = performance.now() + SCAN_MS;
    let cursor = '0';
    do {
      const [next, keys] = await this.#client.scan(cursor, 'MATCH', `*${text}*`, 'COUNT', SCAN_COUNT);
      if (keys.length > 0) yield keys;
      cursor = next;
    } while (cursor !== '0' && performance.now() < deadline);
  }

  /** Whether Redis has executed a write: a stall holds back even one that changes nothing. */
  async takesWrites(): Promise<boolean> {
    return await succeeds(this.#client.unlink('chaosdemo:probe:none'));
  }

  close(): void {
    this.#client.disconnect();
  }
}
