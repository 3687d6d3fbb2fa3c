/** The former primary, observed by writes of the operator, until it is a replica; and what both servers prove. */
import { pauseFor, TIMED_OUT, within } from '../../../waiting.ts';
import type { ProbeWriter, RedisConnections } from '../../client/redis-client.ts';
import { RedisClientError } from '../../client/redis-error.ts';
import { parseInfo, roleIn } from '../../client/redis-info.ts';
import type { FaultTools } from '../fault.ts';
import type { Proof } from '../fenced-fault.ts';

/** Interval between two writes, and the longest wait for the answer to one; milliseconds. */
const EVERY_MS = 100;
const WRITE_MS = 1000;

export class FormerPrimary {
  readonly name: string;
  readonly #server: RedisConnections;
  readonly #now: () => number;
  readonly #runId: string | undefined;
  #writer: ProbeWriter | undefined;
  /** When the last write that it took was sent, if it took one. */
  takenAt: number | undefined;

  constructor({ now, redis }: Pick<FaultTools, 'now' | 'redis'>, runId: string | undefined) {
    this.name = redis.name;
    this.#server = redis.first;
    this.#now = now;
    this.#runId = runId;
  }

  /** When it rejected a write as a replica; undefined: not by `until`. @throws the reason of `signal` */
  async replicaAt(until: number, signal: AbortSignal): Promise<number | undefined> {
    try {
      while (this.#now() < until) {
        if (await this.#isReplica()) return this.#now();
        await pauseFor(EVERY_MS, signal);
      }
      return undefined;
    } finally {
      this.#writer?.close();
    }
  }

  async #isReplica(): Promise<boolean> {
    const sentAt = this.#now();
    try {
      this.#writer ??= await this.#server.openProbeWriter();
      if ((await within(this.#writer.write(), WRITE_MS)) === TIMED_OUT) throw new Error('no answer');
      this.takenAt = sentAt;
      return false;
    } catch (error) {
      // As it becomes a replica, it ends all connections.
      this.#writer?.close();
      this.#writer = undefined;
      if (!(error instanceof RedisClientError) || error.reply !== 'READONLY') return false;
      const info = await this.#server.info('server', 'replication').catch(() => '');
      return roleIn(info) === 'slave' && parseInfo(info).runId === this.#runId;
    }
  }
}

/** When the new primary took a write, or why it is not known. */
export type NewPrimary = { readonly name: string; readonly takenAt: number } | { readonly missing: string };

/**
 * What both servers prove, and which of them took writes in between. Pure.
 * @param startedAt when the failover was begun; like all times in milliseconds since the epoch
 */
export function provenBy(
  startedAt: number,
  {
    name,
    replicaAt,
    takenAt = 0,
  }: Pick<FormerPrimary, 'name' | 'takenAt'> & { readonly replicaAt: number | undefined },
  primary: NewPrimary,
): Proof & { readonly evidence: readonly string[] } {
  const after = (at: number): string => `after ${Math.round(at - startedAt)} ms`;
  const became =
    replicaAt === undefined
      ? `${name} was not seen to become a replica`
      : `${name} rejected a write as a replica ${after(replicaAt)}`;
  if ('missing' in primary || replicaAt === undefined) {
    const found =
      'missing' in primary ? primary.missing : `${primary.name} took a write ${after(primary.takenAt)}`;
    const message = `The failover was not observed to its end: ${became}; ${found}. If it only took longer, lengthen storeOutage.fault.duration`;
    return { proof: 'Inconclusive', message, evidence: [message] };
  }
  const message = `${primary.name} is the primary from now on: it took a write ${after(primary.takenAt)}, and ${became}`;
  const both = Math.round(takenAt - primary.takenAt);
  const writes =
    both > 0
      ? `Both took writes for at least ${both} ms; those to ${name} are lost`
      : `Neither took a write of the operator for up to ${-both} ms`;
  return { proof: 'Confirmed', message, evidence: [message, writes] };
}
