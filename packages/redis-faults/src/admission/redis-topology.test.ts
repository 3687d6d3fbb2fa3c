import { describe, expect, it } from 'vitest';
import { type InfoFields, parseInfoFields } from '../client/redis-info.ts';
import { isOfCluster, requireMaster } from './redis-topology.ts';

const runId = '0123456789abcdef0123456789abcdef01234567';
const plain = {
  redis_version: '7.0.15',
  redis_mode: 'standalone',
  run_id: runId,
  role: 'master',
  connected_slaves: '0',
  cluster_enabled: '0',
};

function info(changes: Record<string, string | undefined> = {}): InfoFields {
  const lines = Object.entries({ ...plain, ...changes }).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}:${value}`],
  );
  return parseInfoFields(`# Server\r\n${lines.join('\r\n')}\r\n\r\n# Keyspace\r\ndb0:keys=1,expires=0\r\n`);
}

describe('requireMaster', () => {
  it('gives the run_id of a master, with replicas or without', () => {
    expect(requireMaster(info(), 'redis-0')).toBe(runId);
    for (const redis_version of ['7.0.0', '7.2.4', '8.0.3', '10.0.0', '255.255.255']) {
      expect(requireMaster(info({ redis_version }), 'redis-0')).toBe(runId);
    }
    for (const connected_slaves of ['2', undefined]) {
      expect(requireMaster(info({ cluster_enabled: undefined, connected_slaves }), 'redis-0')).toBe(runId);
    }
  });

  it('knows a node of a Cluster by either field', () => {
    expect(isOfCluster(info())).toBe(false);
    expect(isOfCluster(info({ redis_mode: 'cluster' }))).toBe(true);
    expect(isOfCluster(info({ cluster_enabled: '1' }))).toBe(true);
  });
});
