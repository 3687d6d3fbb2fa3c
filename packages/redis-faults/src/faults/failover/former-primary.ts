/** A former primary, observed by writes of the operator, until it is a replica; and what all servers prove. */
import type { PerServer } from '../../client/per-server.ts';
import type { RedisConnections } from '../../client/redis-client.ts';
import { parseInfo, roleIn } from '../../client/redis-info.ts';
import { proveWrite } from '../../client/write-probe.ts';
import { listed } from '../../text.ts';
import { pauseFor } from '../../waiting.ts';
import { type Proof } from '../proof.ts';

/** Interval between two writes or two looks at its role, and the longest wait for the answer to a write; milliseconds. */
const EVERY_MS = 100;
const WRITE_MS = 1000;

/** What is known of a former primary; times in milliseconds since the epoch. */
export interface SeenReplica {
  readonly name: string;
  /** When it was seen to be a replica; left out: that was not seen. */
  readonly replicaAt?: number;
  /** When the last write that it took was about to be sent; left out: it took none. */
  readonly takenAt?: number | undefined;
}

/**
 * Waits until a former primary reports the role of a replica, until `until` at most, and writes to it until then.
 * @param runId as admitted
 * @throws the reason of `signal`
 */
export async function asReplica(
  server: RedisConnections,
  runId: string | undefined,
  now: () => number,
  until: number,
  signal: AbortSignal,
): Promise<SeenReplica> {
  const { name } = server;
  let takenAt: number | undefined;
  const over = new AbortController();
  const stop = AbortSignal.any([over.signal, signal]);
  // As it becomes a replica, it ends all connections: a write that waits for one must not delay the look at the role.
  const keepWriting = async (): Promise<never> => {
    for (;;) {
      const sentAt = now();
      if ((await proveWrite(server, WRITE_MS, now, stop)) !== undefined) takenAt = sentAt;
      await pauseFor(EVERY_MS, stop);
    }
  };
  keepWriting().catch(() => undefined);
  try {
    while (now() < until) {
      const info = await server.info('server', 'replication').catch(() => '');
      const isReplica = roleIn(info) === 'slave' && parseInfo(info).runId === runId;
      if (isReplica) return { name, takenAt, replicaAt: now() };
      await pauseFor(EVERY_MS, signal);
    }
    return { name, takenAt };
  } finally {
    over.abort();
  }
}

/** When the new primary took a write, or why it is not known. */
export type NewPrimary = { readonly name: string; readonly takenAt: number } | { readonly missing: string };

/**
 * What all servers prove, and which of them took writes in between. Pure.
 * @param startedAt when the failover was begun; like all times in milliseconds since the epoch
 */
export function provenBy(
  startedAt: number,
  former: PerServer<SeenReplica>,
  primary: NewPrimary,
): Proof & { readonly evidence: readonly string[] } {
  // Between two looks, and while a connection is opened, time passes.
  const by = (at: number): string => `at most ${Math.round(at - startedAt)} ms after the command`;
  const names = listed(former.map(({ name }) => name));
  const unseen = former.filter(({ replicaAt }) => replicaAt === undefined);
  const replicaAt = Math.max(...former.map((server) => server.replicaAt ?? 0));
  const became =
    unseen.length > 0
      ? `that ${listed(unseen.map(({ name }) => name))} became a replica was not seen`
      : `${names} reported the role of a replica ${by(replicaAt)}`;
  if ('missing' in primary || unseen.length > 0) {
    const found =
      'missing' in primary ? primary.missing : `${primary.name} took a write ${by(primary.takenAt)}`;
    const message = `The failover was not observed to its end: ${became}; ${found}. If it only took longer, lengthen the duration of the fault`;
    return { proof: 'Inconclusive', message, evidence: [message] };
  }
  const message = `Roles are swapped for good: ${primary.name} took a write ${by(primary.takenAt)}, and ${became}`;
  const last = Math.max(...former.map(({ takenAt = startedAt }) => takenAt));
  const both = Math.round(last - primary.takenAt);
  const writes = `For at least ${both} ms, former and new primaries took writes; those to ${names} are lost`;
  return { proof: 'Confirmed', message, evidence: both > 0 ? [message, writes] : [message] };
}
