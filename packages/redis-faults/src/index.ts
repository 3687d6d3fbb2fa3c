/**
 * Faults of a Redis that end by themselves: connections to it, its admission, and the faults, each with its proof.
 * Importing it opens no connection.
 */
export {
  type AdmissionOptions,
  type AdmittedRedis,
  admitRedis,
  findMasters,
} from './admission/redis-admission.ts';
export { RedisRefusal, type RefusalReason } from './admission/redis-refusal.ts';
export { SENTINEL_ACL } from './admission/sentinels.ts';
export { REDIS_ACL } from './client/advice.ts';
export { type CommandCounts, grown, parseCommandCounts } from './client/command-counts.ts';
export { COUNT_TYPES, type CountPlace } from './client/count-place.ts';
export { FaultProxyClient, FaultProxyError, type FaultProxyTarget } from './client/fault-proxy.ts';
export { OwnPause } from './client/own-pause.ts';
export { allOf, asPerServer, each, type PerServer } from './client/per-server.ts';
export { type ProbeWriter, RedisConnections } from './client/redis-client.ts';
export { gaveNoAnswer, RedisClientError } from './client/redis-error.ts';
export type { ServerIdentity } from './client/redis-link.ts';
export { type RedisTarget, redisName, type SentinelsTarget, storeName } from './client/redis-target.ts';
export { StoreConnections, type StoreWriter } from './client/store-connections.ts';
export { watchStore } from './client/store-watch.ts';
export { holdFor, proveWrite } from './client/write-probe.ts';
export { claimOf } from './faults/failover/fenced-failover.ts';
export * from './faults/fault.ts';
export { type FaultOptions, type FaultType, type Mechanism, VIAS, type Via } from './faults/fault-type.ts';
export type { StoreFault } from './faults/fenced-fault.ts';
export * from './faults/index.ts';
export { closeProbes, injectRedisPause, MAX_PAUSE_MS } from './faults/pause.ts';
export { inconclusive, withProof } from './faults/proof.ts';
export { NOT_RECORDED, unshown } from './faults/shown.ts';
export { LONGEST_PROXIED_MS } from './proxy/control-api.ts';
