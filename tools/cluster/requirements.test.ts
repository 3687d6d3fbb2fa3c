import { describe, expect, it } from 'vitest';
import { type Machine, missingForCluster } from './requirements.ts';

const bit = (number: number): bigint => 1n << BigInt(number);
const able: Machine = {
  engine: 'podman',
  platform: 'linux',
  root: true,
  capabilities: bit(12) | bit(21),
  cgroups: true,
};

describe('missingForCluster', () => {
  it('nothing is missing for root with its rights, and for a user of Docker', () => {
    expect(missingForCluster(able)).toEqual([]);
    expect(missingForCluster({ ...able, engine: 'docker', root: false, capabilities: 0n })).toEqual([]);
  });

  it.each([
    ['root', { root: false }, /^root.*sudo/],
    ['Linux', { platform: 'darwin' as const }, /use Docker/],
    ['SYS_ADMIN', { capabilities: bit(12) }, /SYS_ADMIN.*--privileged/],
    ['NET_ADMIN', { capabilities: bit(21) }, /NET_ADMIN.*--privileged/],
    ['cgroups', { cgroups: false }, /cgroups.*mount them/],
  ])('names %s, and says what to do', (_what, lacking, message) => {
    expect(missingForCluster({ ...able, ...lacking })).toEqual([expect.stringMatching(message)]);
  });
});
