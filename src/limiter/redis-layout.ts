/**
 * What the limiter keeps in Redis, and how to read it. Everything is under `rl:`; times are milliseconds
 * since the epoch by Redis's own clock.
 *
 * | key                       | type | content                                                               |
 * |---------------------------|------|-----------------------------------------------------------------------|
 * | `rl:limit:<key>`          | hash | `limit`, `windowMs`, `startsAt`, `generation`; kept until replaced.    |
 * |                           |      | After DELETE only `deletedAt`, for an hour: a deleted definition can be |
 * |                           |      | told from one that Redis lost.                                         |
 * | `rl:win:<key>:<windowId>` | hash | node id -> requests that node admitted; the sum is what Redis counted. |
 * |                           |      | Expires at the window's end + 5 minutes, an absolute time, so a write  |
 * |                           |      | that was held back cannot prolong it.                                  |
 *
 * A window id is `<generation>-<index>` and holds no colon; a limited key may hold some. An observer needs
 * no more than HGETALL on the hash that `GET /counter` names as `redisKey`.
 *
 * A limiter needs these rights, and no others: `~rl:* resetchannels -@all +auth +hello +client|setname +ping
 * +info +time +hgetall +hget +hmget +hvals +hset +hincrby +del +exists +pexpireat +eval +evalsha`.
 */
import type { Counts } from './node-window.ts';
import type { LimitDefinition } from './window.ts';

/** How long a window's counts can be read, and late counts of it written, after its end. */
export const WINDOW_GRACE_MS = 5 * 60_000;

/** Hash that holds the definition of `key`. */
export function limitKey(key: string): string {
  return `rl:limit:${key}`;
}

/** Hash that holds the counts of one window of `key`. */
export function windowKey(key: string, windowId: string): string {
  return `rl:win:${key}:${windowId}`;
}

/** Reads a window's hash; fields that are no count are left out. */
export function parseCounts(hash: Readonly<Record<string, string>>): Counts {
  const counts = new Map<string, number>();
  for (const [node, value] of Object.entries(hash)) {
    const count = toInteger(value);
    if (count !== undefined) counts.set(node, count);
  }
  return counts;
}

/** What stands at `rl:limit:<key>`: a definition, the mark of a deleted one, or nothing. */
export type StoredLimit =
  | { readonly kind: 'defined'; readonly definition: LimitDefinition }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'absent' };

/** Reads a definition's hash; one that is not whole counts as absent. */
export function parseLimit(key: string, hash: Readonly<Record<string, string>>): StoredLimit {
  if (hash['deletedAt'] !== undefined) return { kind: 'deleted' };
  const limit = toInteger(hash['limit']);
  const windowMs = toInteger(hash['windowMs']);
  const startsAt = toInteger(hash['startsAt']);
  const generation = hash['generation'];
  if (limit === undefined || !windowMs || startsAt === undefined || !generation) return { kind: 'absent' };
  return { kind: 'defined', definition: { key, limit, windowMs, startsAt, generation } };
}

function toInteger(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
