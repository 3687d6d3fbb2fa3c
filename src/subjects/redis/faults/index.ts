/** The faults of a store by type, for each attempt a new one. */
import { Blackhole } from './blackhole/blackhole.ts';
import { PodConnections } from './break/pod-connections.ts';
import { ByCluster } from './failover/by-cluster.ts';
import { BySentinel } from './failover/by-sentinel.ts';
import { Failover } from './failover/failover.ts';
import type { FaultTools, StoreFault } from './fault.ts';
import { FencedPause } from './fenced-pause.ts';
import { Latency } from './latency/latency.ts';
import { type LoseOptions, LostCounts } from './lose/lost-counts.ts';
import { Refuse } from './refuse/refuse.ts';
import { SlowWrites } from './slow/slow-writes.ts';
import { StaleMaster } from './stale-master/stale-master.ts';

/** The parameters of single types. */
export interface FaultOptions extends LoseOptions {
  /** Of Slow: how long a write waits at most. Of Latency: how long each command waits. Milliseconds. */
  readonly latencyMs: number;
  /** Of StaleMaster: how long it stays while callers have to recover; milliseconds. */
  readonly lingerMs: number;
  /** Of Failover: the fixture of the attempt; read when the fault is prepared. */
  readonly fixture: () => string;
}

export const FAULTS = {
  /** Writes wait, reads are answered, and connections stay open. */
  Stall: (tools) => new FencedPause(tools),
  /** The same, and the connections of the pods end as often as they connect. */
  Break: (tools) => new FencedPause(tools, new PodConnections(tools)),
  /** Each write waits for half of `latencyMs` to all of it. */
  Slow: (tools, { latencyMs }) => new SlowWrites(tools, latencyMs),
  /** No server listens; by the fault proxy. */
  Refuse: (tools) => new Refuse(tools),
  /** Open connections answer as a former primary; by the fault proxy. */
  StaleMaster: (tools, { lingerMs }) => new StaleMaster(tools, lingerMs),
  /** Connections stay open, and no command is answered; by the fault proxy. */
  Blackhole: (tools) => new Blackhole(tools),
  /** Each command waits for `latencyMs`; by the fault proxy. */
  Latency: (tools, { latencyMs }) => new Latency(tools, latencyMs),
  /** Counts are gone, once. */
  Lose: (tools, options) => new LostCounts(tools, options),
  /** Sentinels or a Cluster make replicas the primaries, for good. */
  Failover: (tools, { fixture }) => {
    const { sentinels } = tools.target;
    const roles = sentinels ? new BySentinel(tools, sentinels) : new ByCluster(tools);
    return new Failover(tools, roles, fixture);
  },
} as const satisfies Record<string, (tools: FaultTools, options: FaultOptions) => StoreFault>;
