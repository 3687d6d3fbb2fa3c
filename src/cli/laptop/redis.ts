/** The Redis of an API on this machine: whether it answers, who uses it, and the keys that a run leaves in it. */
import { type CommandCounts, grown, parseCommandCounts } from '@chaosdemo/redis-faults';
import { UsageError } from '@chaosdemo/settings';
import { Redis } from 'ioredis';
import { messageOf } from '../../api/index.ts';
import { sumOf } from '../../subjects/history/counts.ts';
import type { OwnRedis } from './target.ts';

const TIMEOUT_MS = 3_000;
/** Keys read by one SCAN. */
const SCAN_COUNT = 1_000;
/** A large Redis is scanned for so long only; what is left expires. */
const CLEAN_MS = 5_000;

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
    const deadline = performance.now() + CLEAN_MS;
    let removed = 0;
    let cursor = '0';
    do {
      const [next, keys] = await this.#client.scan(cursor, 'MATCH', `*${mark}*`, 'COUNT', SCAN_COUNT);
      if (keys.length > 0) removed += await this.#client.unlink(...keys);
      cursor = next;
    } while (cursor !== '0' && performance.now() < deadline);
    return removed;
  }

  /** Whether Redis has executed a write: a stall holds back even one that changes nothing. */
  async takesWrites(): Promise<boolean> {
    return await this.#client.unlink('chaosdemo:probe:none').then(
      () => true,
      () => false,
    );
  }

  close(): void {
    this.#client.disconnect();
  }
}
