/**
 * After each fault, a Redis cools down for three times as long as the fault lasted, and for a shortest time at least:
 * so it has faults for at most a quarter of the time, whichever objects inject them. For each of its pods, a note in the
 * namespace, which outlives objects and operators, has the moment from which a run may begin. The process remembers the
 * moments that it wrote, so deleting or shortening a note has no effect until another operator leads.
 */
import { allOf, each, type PerServer } from '@chaosdemo/redis-faults';
import { formatDuration } from '../../../api/index.ts';
import type { Clock } from '../../../engine/clock.ts';
import type { Cluster, Note } from '../../cluster.ts';
import { waitFor } from '../../targets/refusal.ts';
import type { FaultSpan, NoteFault } from '../noted-fault.ts';

/** Times the length of a fault. */
const REST = 3;

/**
 * No rest is longer, and a note with a later moment is ignored: anyone in the namespace may have written it. A run of
 * eight of the longest faults needs less.
 */
export const MOST_REST_MS = 6 * 3_600_000;

/** So much earlier is the latest moment that is written, as the clock of another operator may be behind. */
const CLOCKS_MS = 5000;

/** A Redis, and the pod that its notes are deleted with. */
export interface CoolingRedis {
  readonly namespace: string;
  /** By the pods and not by a run_id: they stay with restarts and failovers, and no other server can claim them. */
  readonly ids: PerServer<string>;
  readonly pod: { readonly name: string; readonly uid: string | undefined };
}

/** The cool-downs of all Redis servers. */
export class RedisCooldown {
  readonly #cluster: Cluster;
  readonly #leastMs: number;
  readonly #clock: Pick<Clock, 'now'>;
  /** From when on a run may begin, as this process wrote it, by namespace and id. */
  readonly #written = new Map<string, number>();

  /** @param leastMs 0: there is no cool-down at all */
  constructor(cluster: Cluster, leastMs: number, clock: Pick<Clock, 'now'>) {
    this.#cluster = cluster;
    this.#leastMs = leastMs;
    this.#clock = clock;
  }

  /**
   * @param store its name, for the message
   * @throws {Refusal} CoolingDown while no run with faults of this Redis may begin
   * @throws the cluster's error if an answer is missing or forbidden
   */
  async requireOver(redis: CoolingRedis, store: string, signal: AbortSignal): Promise<void> {
    if (this.#leastMs === 0) return;
    const now = this.#clock.now();
    const found = await allOf(each(redis.ids, (id) => this.#read(redis, id, signal)));
    const until = Math.max(...found.map((one) => one.freeAt));
    if (until <= now) return;
    const time = new Date(Math.ceil(until / 1000) * 1000).toISOString().slice(0, 19);
    throw waitFor(
      'CoolingDown',
      `${store} cools down until ${time}Z: after faults of any ChaosDemo, it does so for ${REST} times as long, and for at least ${formatDuration(this.#leastMs)}`,
    );
  }

  /**
   * Notes faults of one Redis, for a driver. It and what it returns throw the cluster's error, also if another client
   * wrote the note.
   */
  noteFor(redis: CoolingRedis): NoteFault {
    return async (fault, signal) => {
      if (this.#leastMs === 0) return async () => undefined;
      const noting = each(redis.ids, async (id) => {
        const found = await this.#read(redis, id, signal);
        const latest = Math.floor(this.#clock.now()) + MOST_REST_MS - CLOCKS_MS;
        const freeAt = Math.min(restUntil(found.freeAt, fault, this.#leastMs), latest);
        await this.#write(redis, id, freeAt, found.note, signal);
        return async (ending: AbortSignal): Promise<void> => {
          const left = await this.#read(redis, id, ending);
          // Unless another fault was noted since.
          if (left.freeAt === freeAt) await this.#write(redis, id, found.freeAt, left.note, ending);
        };
      });
      const takeBack = async (ending: AbortSignal): Promise<void> => {
        await allOf(each(noting, async (noted) => (await noted)(ending)));
      };
      await allOf(noting).catch(async (error: unknown) => {
        await takeBack(signal).catch(() => undefined);
        throw error;
      });
      return takeBack;
    };
  }

  async #read(
    { namespace }: CoolingRedis,
    id: string,
    signal: AbortSignal,
  ): Promise<{ readonly note: Note | undefined; readonly freeAt: number }> {
    const note = await this.#cluster.note(namespace, noteName(id), signal);
    const now = this.#clock.now();
    for (const [key, at] of this.#written) if (at <= now) this.#written.delete(key);
    const written = this.#written.get(`${namespace}/${id}`) ?? 0;
    return { note, freeAt: Math.max(written, parseNote(note?.text ?? '', now)) };
  }

  async #write(
    { namespace, pod }: CoolingRedis,
    id: string,
    freeAt: number,
    before: Note | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const note = { namespace, name: noteName(id), text: String(freeAt), before, pod };
    await this.#cluster.keepNote(note, signal);
    this.#written.set(`${namespace}/${id}`, freeAt);
  }
}

export function noteName(id: string): string {
  return `chaosdemo-cooldown-${id}`;
}

/** The moment in a note; 0 if it has none that is plausible. */
export function parseNote(text: string, now: number): number {
  const freeAt = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  return freeAt <= now + MOST_REST_MS ? freeAt : 0;
}

/**
 * From when on Redis may be disturbed again after one more fault. Faults of a run follow each other without a rest, so
 * what is left of the rests before it is added. Pure.
 * @param before from when on, without it; like all times in milliseconds since the epoch
 */
export function restUntil(before: number, { from, until }: FaultSpan, leastMs: number): number {
  const ms = Math.max(before, from) + (1 + REST) * (until - from);
  return Math.round(Math.max(ms, until + leastMs));
}
