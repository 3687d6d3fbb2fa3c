/**
 * Cool-down of a Redis after each fault that lasts, whichever object injected it: a recreated object, another one and a
 * rerun all wait. Faults are recorded in a note in the namespace, which outlives objects and operators. The process also
 * remembers its own entries, so deleting or shortening a note has no effect until another operator leads. A note can
 * make a run wait for at most {@link SHARE_OF_MS}.
 */
import { formatDuration } from '../../../api/index.ts';
import type { Clock } from '../../../demo/clock.ts';
import type { Cluster } from '../../cluster.ts';
import { permitted } from '../../targets/refusal.ts';
import type { FaultNotes } from '../faults/noted-fault.ts';

/** In any interval of this many milliseconds ... */
export const SHARE_OF_MS = 600_000;
/** ... a Redis has faults for at most a quarter. */
export const MOST_FAULT_MS = SHARE_OF_MS / 4;

/** No fault is longer, or planned further ahead, so entries of a note beyond that are ignored. */
const LONGEST_MS = 60_000;
const MOST_AHEAD_MS = 60_000;
const MOST_ENTRIES = 64;

/** When a fault was to be active, in milliseconds since the epoch. */
export interface NotedFault {
  readonly from: number;
  readonly until: number;
}

/** A Redis, and the pod that its note is deleted with. */
export interface CoolingRedis {
  readonly namespace: string;
  readonly runId: string;
  /** Set if a failover is to follow: faults are also noted for the server that will take its place. */
  readonly lineage?: string | undefined;
  /** Of the server in whose place it was promoted: its notes count, too. */
  readonly formerLineage?: string | undefined;
  readonly pod: { readonly name: string; readonly uid: string | undefined };
}

/** The cool-downs of all Redis servers. `cooldownMs` 0: no cool-down, and no limit on the share of time. */
export class RedisCooldown {
  readonly #cluster: Cluster;
  readonly #cooldownMs: number;
  /** Entries that this process wrote, by namespace and run_id. */
  readonly #noted = new Map<string, readonly NotedFault[]>();

  constructor(cluster: Cluster, cooldownMs: number) {
    this.#cluster = cluster;
    this.#cooldownMs = cooldownMs;
  }

  /**
   * When a run with faults of this Redis for `needMs` in total may begin; undefined: now.
   * @throws {Refusal} PermissionDenied, or the cluster's error if an answer is missing
   */
  async until(
    redis: CoolingRedis,
    needMs: number,
    now: number,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    if (this.#cooldownMs === 0 || needMs === 0) return undefined;
    const { formerLineage, namespace } = redis;
    const noted = [redis, ...(formerLineage === undefined ? [] : [{ ...redis, runId: formerLineage }])];
    const read = await Promise.all(
      noted.map(async (one) => {
        const note = await permitted(namespace, this.#cluster.note(namespace, noteName(one.runId), signal));
        return this.#faultsOf(one, note?.text ?? '', now);
      }),
    );
    const faults = read.flat().toSorted((a, b) => a.from - b.from);
    const readyAt = Math.max(cooldownEnd(faults, this.#cooldownMs), freeAt(faults, needMs, now));
    return readyAt > now ? readyAt : undefined;
  }

  /** The notes on one Redis, for a driver. */
  notes(redis: CoolingRedis, clock: Pick<Clock, 'now'>): FaultNotes {
    const { lineage } = redis;
    const noted = [redis, ...(lineage === undefined ? [] : [{ ...redis, runId: lineage }])];
    return {
      note: async (fault, signal) => {
        let refusal: string | undefined;
        for (const one of noted) {
          await this.#change(one, clock.now(), signal, (faults, now) => {
            const at = freeAt(faults, fault.until - fault.from, now);
            if (at <= now) return [...faults, fault];
            refusal = `${SHARE}, and that is used up until ${timeOf(at)}`;
            return undefined;
          });
          if (refusal !== undefined) break;
        }
        return refusal;
      },
      takeBack: async ({ from, until }, signal) => {
        for (const one of noted) {
          await this.#change(one, clock.now(), signal, (faults) =>
            faults.filter((fault) => fault.from !== from || fault.until !== until),
          );
        }
      },
    };
  }

  /**
   * Reads and rewrites the note; undefined leaves it unchanged.
   * @throws as `until`, and if another client wrote the note after it was read
   */
  async #change(
    redis: CoolingRedis,
    now: number,
    signal: AbortSignal,
    change: (faults: readonly NotedFault[], now: number) => readonly NotedFault[] | undefined,
  ): Promise<void> {
    if (this.#cooldownMs === 0) return;
    const { namespace, pod, runId } = redis;
    const name = noteName(runId);
    const before = await permitted(namespace, this.#cluster.note(namespace, name, signal));
    const faults = change(this.#faultsOf(redis, before?.text ?? '', now), now)?.slice(-MOST_ENTRIES);
    if (!faults) return;
    const text = JSON.stringify(faults);
    await permitted(namespace, this.#cluster.keepNote({ namespace, name, text, before, pod }, signal));
    this.#forget(now);
    this.#noted.set(keyOf(redis), faults);
  }

  /** Entries of the note and of this process, sorted. */
  #faultsOf(redis: CoolingRedis, text: string, now: number): NotedFault[] {
    const noted = parseNote(text, now);
    const missing = (this.#noted.get(keyOf(redis)) ?? []).filter(
      ({ from, until }) =>
        until > now - SHARE_OF_MS && !noted.some((other) => other.from === from && other.until === until),
    );
    return [...noted, ...missing].toSorted((a, b) => a.from - b.from);
  }

  #forget(now: number): void {
    for (const [key, faults] of this.#noted) {
      if (faults.every(({ until }) => until <= now - SHARE_OF_MS)) this.#noted.delete(key);
    }
  }

  /** The message for an object that waits. */
  message(store: string, until: number): string {
    return `${store} cools down until ${timeOf(until)}: ${formatDuration(this.#cooldownMs)} after each fault by any ChaosDemo, and ${SHARE}`;
  }
}

const SHARE = `a Redis has faults for no more than ${formatDuration(MOST_FAULT_MS)} of any ${formatDuration(SHARE_OF_MS)}`;

function keyOf({ namespace, runId }: CoolingRedis): string {
  return `${namespace}/${runId}`;
}

export function noteName(runId: string): string {
  return `chaosdemo-cooldown-${runId}`;
}

/** The entries of a note that are plausible and still matter, sorted; all others are dropped. */
export function parseNote(text: string, now: number): NotedFault[] {
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(entries)) return [];
  return entries
    .slice(-MOST_ENTRIES)
    .flatMap((entry: Partial<NotedFault> | null) => {
      const { from, until } = entry ?? {};
      if (typeof from !== 'number' || typeof until !== 'number') return [];
      const end = Math.min(until, from + LONGEST_MS);
      return from <= now + MOST_AHEAD_MS && end > from && end > now - SHARE_OF_MS
        ? [{ from, until: end }]
        : [];
    })
    .toSorted((a, b) => a.from - b.from);
}

/** When the last fault has ended and Redis has cooled down; -Infinity if there is none. */
function cooldownEnd(faults: readonly NotedFault[], cooldownMs: number): number {
  return Math.max(...faults.map(({ until }) => until)) + cooldownMs;
}

/** The first moment from `now` on at which `needMs` more stay within the share of the interval before it. */
export function freeAt(faults: readonly NotedFault[], needMs: number, now: number): number {
  const left = MOST_FAULT_MS - Math.min(needMs, MOST_FAULT_MS);
  const used = (at: number): number =>
    faults.reduce((sum, { from, until }) => sum + Math.max(0, until - Math.max(from, at - SHARE_OF_MS)), 0);
  let at = now;
  // The used share falls as faults move out of the window, one after the other.
  for (const { from, until } of faults) {
    const over = used(at) - left;
    if (over <= 0) break;
    if (until <= at - SHARE_OF_MS) continue;
    const leaves = Math.max(from, at - SHARE_OF_MS);
    at = SHARE_OF_MS + Math.min(until, leaves + over);
  }
  return Math.min(at, now + SHARE_OF_MS);
}

function timeOf(at: number): string {
  return `${new Date(Math.ceil(at / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}
