/** Parses INFO: which Redis this is, and how often it carried out the command of a fault. Pure. */
import { createHash } from 'node:crypto';

/** Format of a run_id; it changes with every start of the server. */
export const RUN_ID = /^[0-9a-f]{40}$/;

/** The fields of INFO. Ignores headings, and other lines that are not `field:value`. */
export function parseInfoFields(text: string): Map<string, string> {
  const fields = text.matchAll(/^([^#:\r\n][^:\r\n]*):(.*)$/gm);
  return new Map([...fields].map(([, name = '', value = '']) => [name, value.trim()]));
}

/** Fields of INFO. */
export type InfoFields = ReadonlyMap<string, string>;

/** Those that an admission reads. */
const OF_ADMISSION =
  /^(?:cluster_enabled|loading|master_link_status|redis_mode|redis_version|role|run_id|server_mode|slave\d{1,2})$/;

/** The fields that an admission reads. Copied: a part of a text would keep all of it in memory. */
export function admissionFields(text: string): InfoFields {
  const fields = [...parseInfoFields(text)].filter(([name]) => OF_ADMISSION.test(name));
  return new Map(structuredClone(fields));
}

export type RedisInfo = ReturnType<typeof parseInfo>;

/** What Redis counts in INFO commandstats for CLIENT PAUSE. */
export const PAUSE = 'client|pause';

/**
 * Parses `INFO server` and `INFO commandstats`, in one text.
 * @param command as in `cmdstat_client|pause`
 * @throws RangeError if it holds no run_id
 */
export function parseInfo(text: string, command = PAUSE) {
  const fields = parseInfoFields(text);
  const runId = fields.get('run_id');
  if (runId === undefined || !RUN_ID.test(runId)) {
    throw new RangeError('INFO holds no run_id: this does not seem to be a Redis');
  }
  const calls = /\bcalls=(\d+)/.exec(fields.get(`cmdstat_${command}`) ?? '')?.[1];
  return {
    /** Changes with every start of the server. */
    runId,
    /** How often the command of a fault was carried out since the server started. */
    calls: Number(calls ?? 0),
    /** Whether subcommands are counted one by one: not before Redis 7.0. */
    countsEach: [...fields.keys()].some((field) => field.startsWith('cmdstat_client|')),
  };
}

/**
 * All servers of a store as one: the identity of the set, and the calls on any of them.
 * @param infos at least one
 */
export function combined(infos: readonly RedisInfo[]): RedisInfo {
  return {
    runId: identityOf(infos.map(({ runId }) => runId)),
    calls: infos.reduce((sum, { calls }) => sum + calls, 0),
    countsEach: infos.every(({ countsEach }) => countsEach),
  };
}

/**
 * The identity of a set of servers, in the format of a run_id, and the run_id itself of a single one. It changes if one
 * of them restarts, or another takes its place.
 * @param runIds at least one, in any order
 */
export function identityOf(runIds: readonly string[]): string {
  const [only = '', ...others] = runIds.toSorted();
  if (others.length === 0) return only;
  return createHash('sha1')
    .update([only, ...others].join('/'))
    .digest('hex');
}

/** What clients take of a Redis. */
export type RedisUsage = NonNullable<ReturnType<typeof usageIn>>;

/** From INFO stats, clients and memory; undefined: it does not report all of it. */
export function usageIn(text: string) {
  const fields = parseInfoFields(text);
  const of = (field: string): number => {
    const value = fields.get(field) ?? '';
    return /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  };
  const usage = {
    /** Connections that it has accepted since it started. */
    made: of('total_connections_received'),
    /** Connections that are open. */
    open: of('connected_clients'),
    /** Of its memory. */
    bytes: of('used_memory'),
  };
  return Object.values(usage).some(Number.isNaN) ? undefined : usage;
}

/** The role that INFO shows: master or slave. */
export function roleIn(text: string): string | undefined {
  return parseInfoFields(text).get('role');
}

/** Shows later whether the command was carried out since: `<run_id>/<calls>`. */
export function markerOf({ runId, calls }: RedisInfo): string {
  return `${runId}/${calls}`;
}

/**
 * Whether the command was carried out between `marker` and `now`. Unknown for another or a restarted server, and for
 * one that shows no count of any subcommand of CLIENT, because the admission of a run sends at least one. Unknown also
 * for an unreadable marker.
 */
export function compareCalls(marker: string, now: RedisInfo): ReturnType<typeof compareCounts> {
  return now.countsEach ? compareCounts(marker, now.runId, now.calls) : 'Unknown';
}

/** The same by the count of another server, `<identity>/<count>`. */
export function compareCounts(
  marker: string,
  identity: string,
  count: number,
): 'Injected' | 'NotInjected' | 'Unknown' {
  const match = /^([0-9a-f-]+)\/(\d{1,15})$/.exec(marker);
  if (!match || match[1] !== identity) return 'Unknown';
  const before = Number(match[2]);
  if (count === before) return 'NotInjected';
  return count > before ? 'Injected' : 'Unknown';
}
