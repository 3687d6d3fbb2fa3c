/**
 * Which kind of Redis this is, from INFO, and whether a pause of its writes means
 * what the demo takes it to mean. Pure.
 */
import { Refusal } from './refusal.ts';

/** The fields of INFO; section headings and what else is not `field:value` are left out. */
export function parseInfoFields(text: string): Map<string, string> {
  return new Map(
    text.split(/\r?\n/).flatMap((line): [string, string][] => {
      const at = line.indexOf(':');
      return at <= 0 || line.startsWith('#') ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );
}

/**
 * The run_id of a Redis that stands alone; it is new with every start of the server.
 *
 * @param store what messages call it: "redis-0 (10.0.0.7:6379)"
 * @throws {Refusal} RedisNotEligible for a replica, a master with replicas, a member of a
 * Cluster, a Sentinel, or something that does not say.
 */
export function requireStandalone(info: string, store: string): string {
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
      'is a member of a Redis Cluster, where the counters may be on another member: use a Redis that stands alone',
    );
  }
  if (role !== 'master' && role !== '') {
    throw refuse(`is a replica: name a Service that selects the master (role is ${role.slice(0, 32)})`);
  }
  if (!/^[0-9a-f]{40}$/.test(runId) || role === '') {
    throw refuse('does not tell run_id and role in INFO, as Redis and Valkey do: use one of these');
  }
  const replicas = fields.get('connected_slaves') ?? '0';
  if (replicas !== '0') {
    throw refuse(
      `has ${replicas.slice(0, 8)} connected replicas; a pause could be taken for a failure of the master: use a Redis without replicas`,
    );
  }
  return runId;
}
