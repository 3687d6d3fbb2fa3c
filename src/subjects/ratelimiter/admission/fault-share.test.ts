import { describe, expect, it } from 'vitest';
import { limiterSpec } from '../../../../test/kit/driven-limiter.ts';
import { Refusal } from '../../targets/refusal.ts';
import { disturbedFor, longestPauseOf, requireShare } from './fault-share.ts';

const outage = (type: string, duration = '10s', i = 0) => ({
  name: `outage-${type.toLowerCase()}-${i}`,
  type: 'StoreOutage',
  storeOutage: { fault: { type, duration } },
});
const specOf = (...scenarios: readonly object[]) => ({ spec: limiterSpec({}, scenarios) });

describe('the time that a run disturbs its Redis', () => {
  it.each(['Stall', 'Break', 'Slow', 'Refuse', 'StaleMaster', 'Blackhole', 'Latency'])(
    'includes a %s',
    (type) => {
      expect(disturbedFor(specOf(outage(type)))).toBe(10_000);
    },
  );

  it('includes no loss of counts, and no burst: both are over at once', () => {
    expect(disturbedFor(specOf(outage('Lose'), { name: 'burst', type: 'GhostAllowing' }))).toBe(0);
  });

  it('is that of all faults together, and pauses are the part that Sentinels notice', () => {
    const spec = specOf(outage('Stall', '5s'), outage('Refuse', '20s'));
    expect(disturbedFor(spec)).toBe(25_000);
    expect(longestPauseOf(spec)).toBe(5000);
  });

  it('is bounded, whatever the faults are', () => {
    const faults = (count: number) => Array.from({ length: count }, (_, i) => outage('Blackhole', '50s', i));
    requireShare(specOf(...faults(3)));
    expect(() => requireShare(specOf(...faults(4)))).toThrow(Refusal);
  });

  it('is none in a dry run', () => {
    const { spec } = specOf(outage('Stall'));
    expect(disturbedFor({ spec: { ...spec, dryRun: true } })).toBe(0);
  });
});
