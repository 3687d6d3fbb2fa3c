/** Where and how a rate limiter keeps a count in Redis, and how it is read. */
import type { Redis } from 'ioredis';

/** String and Hash: a whole number in decimal. List, Set, SortedSet: as many as there are entries. */
export const COUNT_TYPES = ['String', 'Hash', 'List', 'Set', 'SortedSet'] as const;

/** One count. */
export interface CountPlace {
  readonly key: string;
  readonly type: (typeof COUNT_TYPES)[number];
  /** Of a Hash. */
  readonly field?: string | undefined;
  /** What an ACL calls all such keys of demos. */
  readonly pattern: string;
}

interface CountCommand {
  readonly name: string;
  readonly send: (redis: Redis, key: string, field: string) => Promise<unknown>;
}

/** The one command for each; each answers with one number or, of what is no count, one value. */
export const COUNT_COMMANDS: Readonly<Record<CountPlace['type'], CountCommand>> = {
  String: { name: 'GET', send: async (redis, key) => await redis.get(key) },
  Hash: { name: 'HGET', send: async (redis, key, field) => await redis.hget(key, field) },
  List: { name: 'LLEN', send: async (redis, key) => await redis.llen(key) },
  Set: { name: 'SCARD', send: async (redis, key) => await redis.scard(key) },
  SortedSet: { name: 'ZCARD', send: async (redis, key) => await redis.zcard(key) },
};
