/** How often Redis has carried out each command, as INFO commandstats has it. Pure. */
import { parseInfoFields } from './redis-info.ts';

/**
 * Commands that touch no data: connections, watching and management. Health checks, exporters and clients that
 * connect send them to a Redis that nobody uses, and this operator does. A container stands for its subcommands.
 */
const NO_DATA: ReadonlySet<string> = new Set(
  (
    'acl asking auth bgrewriteaof bgsave client cluster command config dbsize debug discard echo exec failover ' +
    'function hello info lastsave latency lolwut memory module monitor multi ping psubscribe psync publish pubsub ' +
    'punsubscribe quit readonly readwrite replconf replicaof reset role save script select sentinel slaveof slowlog ' +
    'spublish ssubscribe subscribe sunsubscribe sync time unsubscribe unwatch wait waitaof watch'
  ).split(' '),
);

/**
 * Commands on data that have a counter of their own: those that rate limiters decide with, and their neighbours. The
 * list is closed, since the server chooses the names and what is counted is kept with each request.
 */
const COUNTED: ReadonlyMap<string, string> = new Map(
  (
    'decr decrby del eval eval_ro evalsha evalsha_ro exists expire expireat expiretime fcall fcall_ro get getdel ' +
    'getex getset hdel hexists hexpire hget hgetall hincrby hlen hmget hmset hpexpire hset hsetnx incr incrby ' +
    'incrbyfloat llen lpop lpush lrange ltrim mget mset persist pexpire pexpireat pexpiretime psetex pttl rpop rpush ' +
    'set setex setnx ttl unlink zadd zcard zcount zrange zrangebyscore zrem zremrangebyrank zremrangebyscore'
  )
    .split(' ')
    .map((name) => [name, name]),
);

/** All other commands on data, those of modules among them, are counted together under this name. */
export const OTHERS = 'others';

export interface CommandCounts {
  /** Calls of each command that touches data, by its name, or under {@link OTHERS}. */
  readonly data: ReadonlyMap<string, number>;
  /** Calls of INFO, those of whoever asks among them. */
  readonly info: number;
}

/** What `INFO commandstats` says: `cmdstat_evalsha:calls=12,...`. */
export function parseCommandCounts(text: string): CommandCounts {
  const data = new Map<string, number>();
  let info = 0;
  for (const [field, value] of parseInfoFields(text)) {
    const name = /^cmdstat_(.+)$/.exec(field)?.[1]?.toLowerCase();
    const calls = Number(/\bcalls=(\d{1,15})\b/.exec(value)?.[1] ?? 0);
    if (name === undefined) continue;
    if (name === 'info') info = calls;
    if (NO_DATA.has(name.split('|')[0] ?? '')) continue;
    // The name from the list and not from the text, which would be kept with it.
    const counter = COUNTED.get(name) ?? OTHERS;
    data.set(counter, (data.get(counter) ?? 0) + calls);
  }
  return { data, info };
}

/** By how much each command has grown, where it has. */
export function grown(before: CommandCounts, after: CommandCounts): Map<string, number> {
  const more = new Map<string, number>();
  for (const [name, calls] of after.data) {
    const by = calls - (before.data.get(name) ?? 0);
    if (by > 0) more.set(name, by);
  }
  return more;
}
