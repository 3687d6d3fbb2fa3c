/** How often Redis has carried out each command, from INFO commandstats. Pure. */
import { parseInfoFields } from './redis-info.ts';

/**
 * Commands that touch no data: connections, watching and management. Health checks, exporters, connecting clients and
 * this operator send them to an otherwise unused Redis. A container command stands for its subcommands.
 */
const NO_DATA: ReadonlySet<string> = new Set(
  (
    'acl asking auth bgrewriteaof bgsave client cluster command config dbsize debug discard echo exec failover ' +
    'function hello info lastsave latency lolwut memory module monitor multi ping psubscribe psync publish pubsub ' +
    'punsubscribe quit readonly readwrite replconf replicaof reset role save script select sentinel slaveof slowlog ' +
    'spublish ssubscribe subscribe sunsubscribe sync time unsubscribe unwatch wait waitaof watch'
  ).split(' '),
);

/** Commands with a counter of their own: the server chooses the names, and each is kept with every watched request. */
const MOST_NAMES = 64;

/** Counts all other commands on data together. */
export const OTHERS = 'others';

export interface CommandCounts {
  /** Calls of each command that touches data, by its name, or under {@link OTHERS}. */
  readonly data: ReadonlyMap<string, number>;
  /** Calls of INFO, including our own. */
  readonly info: number;
}

/** Parses `INFO commandstats`: `cmdstat_evalsha:calls=12,...`. */
export function parseCommandCounts(text: string): CommandCounts {
  const data = new Map<string, number>();
  let info = 0;
  for (const [field, value] of parseInfoFields(text)) {
    const name = /^cmdstat_(.+)$/.exec(field)?.[1]?.toLowerCase();
    const calls = Number(/\bcalls=(\d{1,15})\b/.exec(value)?.[1] ?? 0);
    if (name === undefined) continue;
    if (name === 'info') info = calls;
    if (NO_DATA.has(name.split('|')[0] ?? '')) continue;
    // A copy: a substring would keep the complete text in memory.
    const counter = data.has(name) || data.size < MOST_NAMES ? structuredClone(name) : OTHERS;
    data.set(counter, (data.get(counter) ?? 0) + calls);
  }
  return { data, info };
}

/** The counts of all servers of a store: the sum of each, but of INFO what every one has counted. */
export function summed(all: readonly CommandCounts[]): CommandCounts {
  const data = new Map<string, number>();
  for (const [name, calls] of all.flatMap((one) => [...one.data])) {
    data.set(name, (data.get(name) ?? 0) + calls);
  }
  return { data, info: Math.min(...all.map(({ info }) => info)) };
}

/** The increase of each command that has one. */
export function grown(before: CommandCounts, after: CommandCounts): Map<string, number> {
  const more = new Map<string, number>();
  for (const [name, calls] of after.data) {
    const by = calls - (before.data.get(name) ?? 0);
    if (by > 0) more.set(name, by);
  }
  return more;
}
