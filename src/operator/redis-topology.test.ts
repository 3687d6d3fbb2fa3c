import { describe, expect, it } from 'vitest';
import { parseInfoFields, requireStandalone } from './redis-topology.ts';

const runId = '0123456789abcdef0123456789abcdef01234567';
const plain = {
  redis_version: '7.0.15',
  redis_mode: 'standalone',
  run_id: runId,
  role: 'master',
  connected_slaves: '0',
  cluster_enabled: '0',
};

function info(changes: Record<string, string | undefined> = {}): string {
  const lines = Object.entries({ ...plain, ...changes }).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}:${value}`],
  );
  return `# Server\r\n${lines.join('\r\n')}\r\n\r\n# Keyspace\r\ndb0:keys=1,expires=0\r\n`;
}

describe('parseInfoFields', () => {
  it('splits at the first colon and passes over headings', () => {
    const fields = parseInfoFields('# Server\r\nos:Linux: x\r\n\r\nempty:\r\nnonsense\r\n');
    expect([...fields]).toEqual([
      ['os', 'Linux: x'],
      ['empty', ''],
    ]);
  });
});

describe('requireStandalone', () => {
  it('gives the run_id of a Redis that stands alone', () => {
    expect(requireStandalone(info(), 'redis-0')).toBe(runId);
    expect(requireStandalone(info({ cluster_enabled: undefined, connected_slaves: undefined }), 'r')).toBe(
      runId,
    );
  });

  it.each<[string, Record<string, string | undefined>, RegExp]>([
    ['a replica', { role: 'slave' }, /^redis-0 is a replica/],
    ['a master with replicas', { connected_slaves: '2' }, /has 2 connected replicas/],
    ['a member of a cluster', { redis_mode: 'cluster', cluster_enabled: '1' }, /member of a Redis Cluster/],
    ['a Sentinel', { redis_mode: 'sentinel', role: undefined }, /is a Sentinel/],
    ['something without a run_id', { run_id: undefined }, /does not tell run_id/],
    ['something with an odd run_id', { run_id: '../../x' }, /does not tell run_id/],
    ['something without a role', { role: undefined }, /does not tell run_id and role/],
  ])('refuses %s', (_, changes, message) => {
    expect(() => requireStandalone(info(changes), 'redis-0')).toThrow(message);
  });
});
