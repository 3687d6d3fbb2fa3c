/**
 * The kind of Redis, from INFO, and whether a pause of its writes has the effect that the demo assumes. A master may have
 * replicas: it sends them its stream and answers them during a pause, so replication does not notice one. Pure.
 */
import { truncate } from '../../../api/index.ts';
import { Refusal } from '../../targets/refusal.ts';
import { parseInfoFields, RUN_ID } from '../client/redis-info.ts';

/**
 * The oldest version that counts its pauses; a successor of an operator reads from it whether a fault was injected.
 * Valkey reports 7.2.4 here, whatever its own version.
 */
const OLDEST_MAJOR = 7;

/**
 * The run_id of a master; it is new with every start of the server.
 * @param store name in messages: "redis-0 (10.0.0.7:6379)"
 * @param told makes a text of the server safe to repeat, with at most this many characters
 * @throws {Refusal} RedisNotEligible for a replica, a member of a Cluster, a Sentinel, a version older than Redis 7.0,
 * or missing fields; RedisUnreachable while it loads its data.
 */
export function requireMaster(
  info: string,
  store: string,
  told: (said: string, most: number) => string = truncate,
): string {
  const fields = parseInfoFields(info);
  const refuse = (what: string): Refusal => new Refusal('RedisNotEligible', `${store} ${what}`);

  const runId = fields.get('run_id') ?? '';
  const role = fields.get('role') ?? '';
  const mode = fields.get('redis_mode') ?? fields.get('server_mode') ?? '';
  if (mode === 'sentinel') {
    throw refuse('is a Sentinel: name the Service of Redis itself');
  }
  if (mode === 'cluster' || fields.get('cluster_enabled') === '1') {
    throw refuse(
      'is a member of a Redis Cluster, so a pause would reach only callers with keys in its slots: use a Redis without Cluster',
    );
  }
  if (role !== 'master' && role !== '') {
    throw refuse(`is a replica: name a Service that selects the master (role is ${told(role, 32)})`);
  }
  if (!RUN_ID.test(runId) || role === '') {
    throw refuse('does not report run_id and role in INFO, as Redis and Valkey do: use one of these');
  }
  const version = fields.get('redis_version') ?? '';
  if (!(Number.parseInt(version, 10) >= OLDEST_MAJOR)) {
    throw refuse(
      `is of version ${told(version, 16) || 'unknown'}, and a Redis before 7.0 does not count its pauses, so a restarted operator could pause it twice: use Redis 7.0 or later, or Valkey`,
    );
  }
  if (fields.get('loading') === '1') {
    throw new Refusal('RedisUnreachable', `${store} is loading its data: wait until it is ready`);
  }
  return runId;
}
