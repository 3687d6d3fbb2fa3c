import { describe, expect, it } from 'vitest';
import { listNodes, REGISTRY_SILENT_MS, STALE_BEHIND_MS } from './registry.ts';

const SELF = { id: 'b', address: '10.0.0.2:8080' };
const NOW = 1_700_000_000_000;
const states = (registry: Record<string, string>, now: number | undefined): Record<string, string> =>
  Object.fromEntries(listNodes(registry, SELF, now).map(({ id, state }) => [id, state]));

describe('listNodes', () => {
  it('lists nodes by id with their addresses, and itself even when it is not registered', () => {
    expect(listNodes({ c: `${NOW} 10.0.0.3:8080`, a: `${NOW} [fd00::1]:8080` }, SELF, NOW)).toEqual([
      { id: 'a', address: '[fd00::1]:8080', state: 'ready' },
      { ...SELF, state: 'ready' },
      { id: 'c', address: '10.0.0.3:8080', state: 'ready' },
    ]);
  });

  it('calls a node stale that falls behind the newest heartbeat', () => {
    const registry = {
      a: `${NOW - STALE_BEHIND_MS - 1} x:1`,
      b: `${NOW} x:1`,
      c: `${NOW - STALE_BEHIND_MS} x:1`,
    };
    expect(states(registry, NOW)).toEqual({ a: 'stale', b: 'ready', c: 'ready' });
  });

  it('changes nothing while no node can write, and vouches for nobody when that lasts longer than any pause', () => {
    const registry = { a: `${NOW - STALE_BEHIND_MS - 1} x:1`, b: `${NOW} x:1`, c: `${NOW - 100} x:1` };
    expect(states(registry, NOW + 60_000)).toEqual({ a: 'stale', b: 'ready', c: 'ready' });
    expect(states(registry, NOW + REGISTRY_SILENT_MS + 1)).toEqual({ a: 'stale', b: 'ready', c: 'stale' });
  });

  it('vouches for nobody but itself without a clock, and skips what it cannot read', () => {
    expect(states({ a: `${NOW} x:1`, c: 'nonsense', b: '' }, undefined)).toEqual({ a: 'stale', b: 'ready' });
  });
});
