/** What a node says of itself in Prometheus's terms; one registry a node, so several fit into one process. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { LimiterMode } from './config.ts';

export type CheckResult = 'allowed' | 'denied' | 'unknown_key' | 'unavailable';

export interface LimiterMetrics {
  readonly registry: Registry;
  readonly checks: Counter<'result'>;
  /** Strict checks that Redis counted after the node had given them up. */
  readonly unclaimed: Counter;
  readonly syncDuration: Histogram;
  readonly syncsInFlight: Gauge;
  readonly syncFailures: Counter;
  readonly redisUp: Gauge;
}

/** @param pendingCount asked at each scrape: requests admitted that Redis does not hold yet */
export function createMetrics(node: string, mode: LimiterMode, pendingCount: () => number): LimiterMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ node, mode });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const pending: Gauge = new Gauge({
    name: 'ratelimiter_pending_admitted',
    help: 'Requests this node admitted that Redis does not hold yet',
    registers,
    collect: () => pending.set(pendingCount()),
  });
  return {
    registry,
    checks: new Counter({
      name: 'ratelimiter_checks_total',
      help: 'Checks answered, by result',
      labelNames: ['result'],
      registers,
    }),
    unclaimed: new Counter({
      name: 'ratelimiter_strict_unclaimed_total',
      help: 'Strict checks that Redis counted but whose answer came too late to admit them',
      registers,
    }),
    syncDuration: new Histogram({
      name: 'ratelimiter_sync_duration_seconds',
      help: 'Time until Redis acknowledged a sync of counts',
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 10, 30, 60],
      registers,
    }),
    syncsInFlight: new Gauge({
      name: 'ratelimiter_syncs_in_flight',
      help: 'Syncs of counts that Redis has not answered yet, 0 or 1',
      registers,
    }),
    syncFailures: new Counter({
      name: 'ratelimiter_sync_failures_total',
      help: 'Syncs of counts that failed and are made up for by the next',
      registers,
    }),
    redisUp: new Gauge({
      name: 'ratelimiter_redis_up',
      help: 'Whether Redis answered the last PING of this node',
      registers,
    }),
  };
}
