import { expect, it } from 'vitest';
import { limiterSpec } from '../../../../test/kit/driven-limiter.ts';
import { longestPauseOf } from '../../admission/connector.ts';
import { rateLimiterKind } from '../kind.ts';

const outage = (type: string, duration: string) => ({
  name: `outage-${type.toLowerCase()}`,
  type: 'StoreOutage',
  storeOutage: { fault: { type, duration } },
});

it('the longest pause of a run is that of a fault that Sentinels could notice', () => {
  const pauseOf = (...scenarios: readonly object[]) =>
    longestPauseOf(rateLimiterKind, { spec: limiterSpec({}, scenarios) });
  expect(pauseOf(outage('Stall', '5s'), outage('Disconnect', '4s'), outage('Refuse', '20s'))).toBe(5000);
  expect(pauseOf(outage('Refuse', '20s'), outage('DataLoss', '20s'))).toBe(0);
});
