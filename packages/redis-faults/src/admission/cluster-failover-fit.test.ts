/** Which replicas could take the place of the primaries of a Cluster, by what the pods report. */
import { describe, expect, it } from 'vitest';
import type { PerServer } from '../client/per-server.ts';
import { admissionFields } from '../client/redis-info.ts';
import type { RedisTarget } from '../client/redis-target.ts';
import {
  type ReplicaView,
  replicaIn,
  requireClusterFailoverRight,
  requireReplicas,
} from './cluster-failover-fit.ts';
import type { ClusterNode } from './cluster-nodes.ts';
import { RedisRefusal } from './redis-refusal.ts';

const idOf = (node: number): string => node.toString(16).padStart(40, '0');
const IN_SYNC = 'role:slave\r\nmaster_link_status:up\r\n';

function target(node: number, change: Partial<RedisTarget> = {}): RedisTarget {
  return { podName: `redis-${node}`, host: `10.0.0.${node}`, port: 6379, tls: true, ...change };
}

/** What a pod reports of itself; node 0 is the primary. */
function view(
  node: number,
  info = `${IN_SYNC}run_id:${idOf(node)}\r\n`,
  { flags = ['slave'], primaryId = idOf(0) }: { flags?: string[]; primaryId?: string } = {},
): ReplicaView {
  const itself: ClusterNode = {
    id: idOf(node),
    host: `10.0.0.${node}`,
    port: 6379,
    flags: new Set(['myself', ...flags]),
    primaryId,
    slots: [],
    isMoving: false,
  };
  return { target: target(node), info: admissionFields(info), cluster: { layout: 'x', masters: [], itself } };
}

const PRIMARY = {
  ...view(0, 'role:master', { flags: ['master'], primaryId: '-' }),
  target: target(0, { slots: [[0, 5460]], password: 'secret', podUid: 'u0' }),
};

describe('the replica of a primary', () => {
  it('is the first in sync, with the slots of the primary', () => {
    const behind = view(1, `role:slave\r\nmaster_link_status:down\r\nrun_id:${idOf(1)}\r\n`);
    expect(replicaIn(PRIMARY, [PRIMARY, behind, view(2), view(3)])).toEqual({
      podName: 'redis-2',
      host: '10.0.0.2',
      port: 6379,
      tls: true,
      slots: [[0, 5460]],
      runId: idOf(2),
    });
  });

  it.each<[string, ReplicaView]>([
    ['copies another primary', view(1, undefined, { primaryId: idOf(7) })],
    ['has failed', view(1, undefined, { flags: ['slave', 'fail'] })],
    ['is not in sync', view(1, `role:slave\r\nmaster_link_status:down\r\nrun_id:${idOf(1)}\r\n`)],
    ['reports another role', view(1, `role:master\r\nmaster_link_status:up\r\nrun_id:${idOf(1)}\r\n`)],
    ['reports no run_id', view(1, `${IN_SYNC}run_id:../x\r\n`)],
    ['is no node of a Cluster', { target: target(1), info: admissionFields(IN_SYNC) }],
  ])('is none that %s', (_, other) => {
    expect(replicaIn(PRIMARY, [PRIMARY, other])).toBeUndefined();
  });
});

describe('a failover of a Cluster', () => {
  const refusal = (act: () => void): RedisRefusal => {
    try {
      act();
    } catch (error) {
      if (error instanceof RedisRefusal) return error;
    }
    throw new Error('it was not refused');
  };

  it('needs a replica of each primary', () => {
    const masters: PerServer<RedisTarget> = [target(0, { replica: target(2) }), target(1)];
    expect(refusal(() => requireReplicas(masters, 'x')).message).toMatch(/of redis-1 \(10\.0\.0\.1:6379\)/);
    expect(() => requireReplicas([target(0, { replica: target(2) })], 'x')).not.toThrow();
  });

  it('needs the right in each node', () => {
    const permitted = { target: target(0), failoverAnswer: 'ERR syntax error' };
    expect(() => requireClusterFailoverRight([permitted])).not.toThrow();
    const lacking = { target: target(1), failoverAnswer: 'NOPERM this user has no permissions' };
    const { message, reason } = refusal(() => requireClusterFailoverRight([permitted, lacking]));
    expect(reason).toBe('RedisUnreachable');
    expect(message).toMatch(/^redis-1 .*\+cluster\|failover$/);
  });
});
