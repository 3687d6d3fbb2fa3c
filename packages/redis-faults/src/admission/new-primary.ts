/** The new primary after a failover: the pod behind the Service of Redis that the Sentinels report. */
import type { PerServer } from '../client/per-server.ts';
import { type RedisTarget, redisName, type SentinelsTarget, settingOf } from '../client/redis-target.ts';
import { isInPod, newestWatch, readWatches } from '../client/sentinel.ts';
import { listed } from '../text.ts';

/** How long Sentinels and the API server may take; milliseconds. */
const FIND_MS = 3000;

/**
 * Always a pod behind the Service: a Sentinel must not choose where a password is sent. It has the address that the
 * Sentinels report and, once they have read it, the run_id.
 * @param former primary, with its run_id
 * @param findStore finds the pods that the Service leads to now
 * @throws Error with what is missing
 */
export async function findNewPrimary(
  sentinels: SentinelsTarget,
  former: RedisTarget,
  findStore: (signal: AbortSignal) => Promise<PerServer<RedisTarget>>,
  lifetime: AbortSignal,
): Promise<RedisTarget> {
  const signal = AbortSignal.any([lifetime, AbortSignal.timeout(FIND_MS)]);
  const watch = newestWatch(await readWatches(sentinels, signal), former);
  if (!watch) throw new Error('no Sentinel reports a new primary');
  const pods = await findStore(signal);
  const others = pods.filter(({ host, port }) => host !== former.host || port !== former.port);
  const [only] = others;
  if (only && others.length === 1 && isInPod(watch, only)) {
    return watch.runId === '' ? only : { ...only, runId: watch.runId };
  }
  throw new Error(
    `${settingOf(former, 'service')} leads to ${listed(pods.map(redisName))}, and the Sentinels report ${watch.address} as the primary: let its selector follow a failover, by a label of the primary`,
  );
}
