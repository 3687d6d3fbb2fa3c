/** Removes counts of callers from the servers of a store, each in a transaction that reads it right before and after. */
import { type CountPlace, countCommand, countIn } from '../../client/count-place.ts';
import { NotInChargeError } from '../../client/fence.ts';
import { slotOf } from '../../client/key-slot.ts';
import type { RedisConnections } from '../../client/redis-client.ts';
import { RedisClientError } from '../../client/redis-error.ts';
import type { StoreConnections } from '../../client/store-connections.ts';

/** A count right before and right after its key was removed. */
export interface LostCount {
  readonly before: number;
  readonly after: number;
  /** Whether 0 may have been right before: nobody holds the lock. */
  readonly mayBeNone?: boolean;
}

/** The counts that one server has lost. */
export interface ServerLoss {
  /** Of the server. */
  readonly name: string;
  readonly lost: readonly LostCount[];
}

/**
 * UNLINK of each count on the server of its key, and SCRIPT FLUSH on every server if `scripts`, if this session is in
 * charge.
 * @param onSend called right before the commands are sent to a server; left out: only checks that the user may send
 * them, and removes nothing
 * @returns of each server that had something to do
 * @throws NotInChargeError if none was removed, and none will be; RedisClientError
 */
export async function unlinkCounts(
  { servers }: Pick<StoreConnections, 'servers'>,
  places: readonly CountPlace[],
  scripts: boolean,
  onSend?: () => void,
): Promise<readonly ServerLoss[]> {
  const parts = servers
    .map((server) => ({ server, own: places.filter(({ key }) => server.has(key)) }))
    .filter(({ own }) => scripts || own.length > 0);
  const outcomes = await Promise.allSettled(
    parts.map(async ({ own, server }) => ({
      name: server.name,
      lost: await unlinkOn(server, own, scripts, onSend),
    })),
  );
  const failures: unknown[] = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason] : [],
  );
  const failure = failures.find((error) => !(error instanceof NotInChargeError)) ?? failures[0];
  // The others have removed theirs.
  if (failure instanceof NotInChargeError && failures.length < parts.length) {
    throw new RedisClientError(failure.message);
  }
  if (failure !== undefined) throw failure;
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

/**
 * On a node of a Cluster, each slot is a transaction: Redis rejects one with keys of several slots, even if it has all
 * of them.
 */
async function unlinkOn(
  server: RedisConnections,
  places: readonly CountPlace[],
  scripts: boolean,
  onSend: (() => void) | undefined,
): Promise<readonly LostCount[]> {
  const inSlots = Map.groupBy(places, ({ key }) => (server.isOfCluster ? slotOf(key) : 0));
  const [first = [], ...others] = inSlots.values();
  const lost: LostCount[] = [];
  try {
    lost.push(...(await unlinkTogether(server, first, scripts, onSend)));
    for (const some of others) lost.push(...(await unlinkTogether(server, some, false, onSend)));
    return lost;
  } catch (error) {
    if (error instanceof NotInChargeError && lost.length > 0) {
      const part = `after UNLINK of ${lost.length} of ${places.length} keys`;
      throw new RedisClientError(`Redis ${server.name}, ${part}: ${error.message}`);
    }
    if (!(error instanceof RedisClientError) || error.reply !== 'NOPERM') throw error;
    const unlink = places
      .slice(0, 1)
      .map(({ pattern, type }) => `${type === 'Any' ? '+exists ' : ''}+unlink ~${pattern}`);
    const rights = [...unlink, ...(scripts ? ['+script|flush'] : [])].join(' ');
    throw new RedisClientError(
      `Redis ${server.name}, UNLINK: the ACL user lacks a right that fault type DataLoss needs: grant it "${rights}" besides the others`,
      error.reply,
    );
  }
}

/** In one transaction. */
async function unlinkTogether(
  server: RedisConnections,
  places: readonly CountPlace[],
  scripts: boolean,
  onSend: (() => void) | undefined,
): Promise<readonly LostCount[]> {
  const reads = places.map(countCommand);
  const unlink = places.length > 0 ? [['UNLINK', ...places.map(({ key }) => key)] as const] : [];
  const flush = scripts ? [['SCRIPT', 'FLUSH'] as const] : [];
  const replies = await server.transaction('UNLINK', [...reads, ...unlink, ...flush, ...reads], onSend);
  const numbers = replies.map((reply) => countIn(reply) ?? 0);
  return places.map(({ type }, i) => ({
    before: numbers[i] ?? 0,
    after: numbers[replies.length - places.length + i] ?? 0,
    mayBeNone: type === 'Any',
  }));
}
