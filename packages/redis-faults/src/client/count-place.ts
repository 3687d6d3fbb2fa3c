/** Where and how pods keep a count of a caller in Redis, and how to read it. */

/**
 * String: an integer in decimal. Hash: that of one field, or the sum of all. List, Set, SortedSet: the number of
 * entries.
 */
export const COUNT_TYPES = ['String', 'Hash', 'List', 'Set', 'SortedSet'] as const;

export interface CountPlace {
  readonly key: string;
  /** Any: the count is 1 while the key exists, as that of a held lock, and 0 proves nothing. */
  readonly type: (typeof COUNT_TYPES)[number] | 'Any';
  /** Of a Hash; left out: all. */
  readonly field?: string | undefined;
  /** The ACL pattern of all such keys of demos. */
  readonly pattern: string;
}

/** Reads a count of each type. */
const READS = {
  String: 'GET',
  Hash: 'HVALS',
  List: 'LLEN',
  Set: 'SCARD',
  SortedSet: 'ZCARD',
  Any: 'EXISTS',
} as const;

/** The one read command for each type, with its arguments; it replies with one number, one value, or the values of a Hash. */
export function countCommand({ field, key, type }: CountPlace): readonly [string, ...string[]] {
  return type === 'Hash' && field !== undefined ? ['HGET', key, field] : [READS[type], key];
}

/** The count in a reply; 0 if there is no such key, undefined if it is no integer. */
export function countIn(reply: unknown): number | undefined {
  if (Array.isArray(reply)) {
    const counts = reply.map(countIn);
    return counts.includes(undefined) ? undefined : counts.reduce<number>((sum, count = 0) => sum + count, 0);
  }
  const value = typeof reply === 'string' && /^-?\d{1,16}$/.test(reply) ? Number(reply) : (reply ?? 0);
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}
