import { describe, expect, it } from 'vitest';
import type { ScenarioSpec } from '../../../../api/index.ts';
import { parametersOf, unprovable } from './parameters.ts';

const scenario = (change: object = {}): ScenarioSpec => {
  const plain = { name: 'outage', type: 'StoreOutage', expect: 'Any', countdown: '3s' } as ScenarioSpec;
  return { ...plain, storeOutage: { ...parametersOf(plain), ...change } };
};

describe('a store outage that can tell nothing', () => {
  it('is none by default, on up to a hundred pods', () => {
    expect(unprovable(scenario(), 3)).toBeUndefined();
    expect(unprovable(scenario(), 100)).toBeUndefined();
  });

  it('has too short a pause for its callers', () => {
    expect(unprovable(scenario({ pause: '2s', callerTimeout: '1500ms' }), 3)).toContain('comes to 2');
    expect(unprovable(scenario({ pause: '1s', callerTimeout: '10s' }), 3)).toContain('comes to 0');
  });

  it('would have more requests wait at once than one run may', () => {
    expect(unprovable(scenario(), 101)).toContain('comes to 1010 requests');
    expect(unprovable(scenario({ requestsPerSecond: 50, callerTimeout: '9s', pause: '30s' }), 2)).toContain(
      'lower storeOutage.requestsPerSecond or callerTimeout',
    );
  });
});
