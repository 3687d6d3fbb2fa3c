/**
 * The kind of Redis, from INFO, and whether a pause of its writes has the effect that the demo assumes. A master may have
 * replicas: it sends them its stream and answers them during a pause, so replication does not notice one. Pure.
 */
import { type InfoFields, RUN_ID } from '../client/redis-info.ts';
import { truncate } from '../text.ts';
import { notEligible, RedisRefusal } from './redis-refusal.ts';

/**
 * The oldest version that counts its pauses; a successor of an operator reads from it whether a fault was injected.
 * Valkey reports 7.2.4 here, whatever its own version.
 */
const OLDEST_MAJOR = 7;

/** Whether it is a node of a Cluster. */
export function isOfCluster(fields: InfoFields): boolean {
  return modeOf(fields) === 'cluster' || fields.get('cluster_enabled') === '1';
}

function modeOf(fields: InfoFields): string {
  return fields.get('redis_mode') ?? fields.get('server_mode') ?? '';
}

/**
 * The run_id of a master; it is new with every start of the server.
 * @param store name in messages: "redis-0 (10.0.0.7:6379)"
 * @throws {RedisRefusal} RedisNotEligible for a replica, a Sentinel, a version older than Redis 7.0,
 * or missing fields; RedisUnreachable while it loads its data.
 */
export function requireMaster(fields: InfoFields, store: string): string {
  const refuse = (what: string): RedisRefusal => notEligible(`${store} ${what}`);

  const runId = fields.get('run_id') ?? '';
  const role = fields.get('role') ?? '';
  if (modeOf(fields) === 'sentinel') {
    throw refuse('is a Sentinel: name the Service of Redis itself');
  }
  if (role === 'slave') throw refuse('is a replica: name a Service that selects the primary');
  if (!RUN_ID.test(runId) || role !== 'master') {
    throw refuse('does not report run_id and role in INFO, as Redis and Valkey do: use one of these');
  }
  const version = fields.get('redis_version') ?? '';
  if (!(Number.parseInt(version, 10) >= OLDEST_MAJOR)) {
    throw refuse(
      `is of version ${truncate(version, 16) || 'unknown'}: use Redis 7.0 or later, or Valkey. Older ones do not count their pauses, so a restarted operator could pause them twice`,
    );
  }
  if (fields.get('loading') === '1') {
    throw new RedisRefusal('RedisUnreachable', `${store} is loading its data: wait until it is ready`);
  }
  return runId;
}
