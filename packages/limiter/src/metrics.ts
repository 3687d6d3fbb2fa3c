/** The Prometheus metrics of a node; one registry per node, so several fit into one process. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { LimiterMode } from './config.ts';

/** @param pendingCount called at each scrape: requests admitted that Redis does not hold yet */
export function createMetrics(node: string, mode: LimiterMode, pendingCount: () => number) {
  const registry = new Registry();
  registry.setDefaultLabels({ node, mode });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const pending: Gauge = new Gauge({
    name: 'ratelimiter_pending_admitted',
    help: 'Requests this pod admitted that Redis does not hold yet',
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
    redisUp: new Gauge({
      name: 'ratelimiter_redis_up',
      help: 'Whether Redis answered the last PING of this pod',
      registers,
    }),
  };
}
