/** A replica becomes the primary, by Sentinels or a Cluster. */
import type { FaultType } from '../fault-type.ts';
import { ByCluster } from './by-cluster.ts';
import { BySentinel } from './by-sentinel.ts';

export const failover = {
  type: 'Failover',
  meaning: 'Sentinels or the Cluster make a replica the primary, for good',
  mechanisms: {
    Redis: {
      title: 'A replica of Redis becomes its primary',
      cause: 'store-connections-broken',
      // That primary also has an older state. One limiter shows this, and another loses its connections.
      causeBySentinel: 'store-restarted',
      lasts: 'ForGood',
      create(tools, { fixture }) {
        const { sentinels } = tools.target;
        return sentinels ? new BySentinel(tools, sentinels, fixture) : new ByCluster(tools, fixture);
      },
    },
  },
} as const satisfies FaultType;
