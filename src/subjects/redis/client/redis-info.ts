/** Parses INFO: which Redis this is, and how often it was paused. Pure. */

import { linesOf } from './lines.ts';

/** Format of a run_id; it changes with every start of the server. */
export const RUN_ID = /^[0-9a-f]{40}$/;

/** INFO has some 200 fields and one for each command, so a real Redis stays far below this. */
const MOST_FIELDS = 4096;

/** Longer than any value that is used. */
const MOST_VALUE = 1024;

/**
 * The fields of INFO. Ignores headings, other lines that are not `field:value`, lines beyond the first 4,096, and values
 * of more than 1,024 characters.
 */
export function parseInfoFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of linesOf(text, MOST_FIELDS)) {
    const at = line.indexOf(':');
    if (at <= 0 || line.startsWith('#') || line.length - at > MOST_VALUE) continue;
    fields.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  return fields;
}

export interface RedisInfo {
  /** Changes with every start of the server. */
  readonly runId: string;
  /** How often CLIENT PAUSE was carried out since the server started. */
  readonly pauses: number;
  /** Whether the subcommands of CLIENT are counted one by one: not before Redis 7.0. */
  readonly countsPauses: boolean;
}

/**
 * Parses `INFO server` and `INFO commandstats`, in one text.
 * @throws RangeError if it holds no run_id
 */
export function parseInfo(text: string): RedisInfo {
  const fields = parseInfoFields(text);
  const runId = fields.get('run_id');
  if (runId === undefined || !RUN_ID.test(runId)) {
    throw new RangeError('INFO holds no run_id: this does not seem to be a Redis');
  }
  const calls = /\bcalls=(\d+)/.exec(fields.get('cmdstat_client|pause') ?? '')?.[1];
  return {
    runId,
    pauses: Number(calls ?? 0),
    countsPauses: [...fields.keys()].some((field) => field.startsWith('cmdstat_client|')),
  };
}

/** How many connections Redis has accepted since it started, from `INFO stats`; undefined: it does not report that. */
export function connectionsIn(text: string): number | undefined {
  const [, count] = /^total_connections_received:(\d{1,15})\r?$/m.exec(text) ?? [];
  return count === undefined ? undefined : Number(count);
}

/** Shows later whether a pause was injected since: `<run_id>/<pauses>`. */
export function markerOf({ runId, pauses }: RedisInfo): string {
  return `${runId}/${pauses}`;
}

/**
 * Whether a pause was injected between `marker` and `now`. Unknown for another or a restarted server, and for one that
 * shows no count of any subcommand of CLIENT, because the admission of a run sends at least one. Unknown also for an
 * unreadable marker.
 */
export function comparePauses(marker: string, now: RedisInfo): 'Injected' | 'NotInjected' | 'Unknown' {
  const match = /^([0-9a-f]+)\/(\d+)$/.exec(marker);
  if (!match || match[1] !== now.runId || !now.countsPauses) return 'Unknown';
  const before = Number(match[2]);
  if (now.pauses === before) return 'NotInjected';
  return now.pauses > before ? 'Injected' : 'Unknown';
}
