/** Which replica of each primary of a Cluster a failover makes the primary: a Ready pod that is in sync. Pure. */
import type { PerServer } from '../client/per-server.ts';
import { type InfoFields, RUN_ID } from '../client/redis-info.ts';
import { type RedisTarget, redisName, settingOf } from '../client/redis-target.ts';
import { listed } from '../text.ts';
import type { ClusterView } from './cluster-nodes.ts';
import { lacksFailoverRight, notEligible } from './redis-refusal.ts';

/** What a pod reports. */
export interface ReplicaView extends ClusterView {
  readonly info: InfoFields;
}

/** The first in the order of names, with the slots of the primary; undefined: none is in sync. */
export function replicaIn(
  { cluster, target }: ClusterView,
  views: readonly ReplicaView[],
): RedisTarget | undefined {
  const id = cluster?.itself?.id;
  for (const view of views) {
    const node = view.cluster?.itself;
    if (id === undefined || node?.primaryId !== id || node.flags.has('fail')) continue;
    const { info } = view;
    const runId = info.get('run_id') ?? '';
    const isInSync = info.get('role') === 'slave' && info.get('master_link_status') === 'up';
    if (!isInSync || !RUN_ID.test(runId)) continue;
    return { ...view.target, ...(target.slots && { slots: target.slots }), runId };
  }
  return undefined;
}

/** @throws {RedisRefusal} RedisNotEligible if this is no Cluster, or a primary has no replica in sync */
export function requireReplicas(masters: PerServer<RedisTarget>, layout: string): void {
  const [first] = masters;
  if (layout === '') {
    throw notEligible(
      `${redisName(first)} is no node of a Cluster, so fault type Failover is by Sentinel: name the Sentinels in ${settingOf(first, 'sentinel')}`,
    );
  }
  const without = masters.filter(({ replica }) => !replica);
  if (without.length === 0) return;
  throw notEligible(
    `no Ready pod behind ${settingOf(first, 'serviceName')} is a replica in sync (master_link_status:up) of ${listed(without.map(redisName))}, so fault type Failover would have no new primary: start a replica of each primary, or wait until it is in sync`,
  );
}

/**
 * @param answers what each node answered to CLUSTER FAILOVER with an option that does not exist; the right is checked
 * first
 * @throws {RedisRefusal} RedisUnreachable without the right
 */
export function requireClusterFailoverRight(
  answers: readonly { readonly target: RedisTarget; readonly failoverAnswer?: string }[],
): void {
  const lacking = answers.find(({ failoverAnswer }) => failoverAnswer?.startsWith('NOPERM'))?.target;
  if (lacking) throw lacksFailoverRight(redisName(lacking), lacking.port, 'node', 'cluster|failover');
}
