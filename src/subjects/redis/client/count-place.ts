/** Where and how a rate limiter keeps a count in Redis, and how to read it. */
import type { Redis } from 'ioredis';

/** String and Hash: an integer in decimal. List, Set, SortedSet: the number of entries. */
export const COUNT_TYPES = ['String', 'Hash', 'List', 'Set', 'SortedSet'] as const;

export interface CountPlace {
  readonly key: string;
  readonly type: (typeof COUNT_TYPES)[number];
  /** Of a Hash. */
  readonly field?: string | undefined;
  /** The ACL pattern of all such keys of demos. */
  readonly pattern: string;
}

interface CountCommand {
  readonly name: string;
  readonly send: (redis: Redis, key: string, field: string) => Promise<unknown>;
}

/** The one read command for each; each answers with one number, or with one value if it is not a count. */
export const COUNT_COMMANDS: Readonly<Record<CountPlace['type'], CountCommand>> = {
  String: { name: 'GET', send: async (redis, key) => await redis.get(key) },
  Hash: { name: 'HGET', send: async (redis, key, field) => await redis.hget(key, field) },
  List: { name: 'LLEN', send: async (redis, key) => await redis.llen(key) },
  Set: { name: 'SCARD', send: async (redis, key) => await redis.scard(key) },
  SortedSet: { name: 'ZCARD', send: async (redis, key) => await redis.zcard(key) },
};
