import { describe, expect, it } from 'vitest';
import { limiterSpec } from '../../../../../test/kit/driven-limiter.ts';
import type { ChaosDemoSpec } from '../../../../api/index.ts';
import { rateLimiterOf } from '../../spec/schema.ts';
import { api, BurstPlan } from './plan.ts';

const LIMIT = { requests: 10, window: '60s' };
const HTTP = { http: { path: '/$(key)' }, limit: LIMIT };

function spec(ghostAllowing: object = {}, limiter: object = HTTP): ChaosDemoSpec {
  return limiterSpec({ ...limiter }, [{ name: 's', type: 'GhostAllowing', expect: 'Held', ghostAllowing }]);
}

function planned(whole: ChaosDemoSpec) {
  const [scenario] = whole.scenarios;
  if (!scenario) throw new TypeError('there is a scenario');
  return new BurstPlan(scenario, rateLimiterOf(whole), api);
}

describe('the requests of a burst', () => {
  it.each([
    [1, {}, 30],
    [3, {}, 60],
    [20, {}, 400],
    [3, { algorithm: 'TokenBucket', requests: 60, burst: 5 }, 30],
    [3, { requests: 5000 }, 10_000],
  ])('to %i pods give each twice what it admits at once: limit %j', (pods, limit, sent) => {
    const limiter = { ...HTTP, limit: { ...LIMIT, ...limit } };
    expect(planned(spec({}, limiter)).requestsTo(pods)).toBe(sent);
  });

  it('are those of the multiplier if it is given', () => {
    expect(planned(spec({ multiplier: 4 })).requestsTo(3)).toBe(40);
  });
});

describe('the trials', () => {
  it.each<[object, object, RegExp | undefined]>([
    [{ trials: 99 }, { window: '1s' }, undefined],
    [{ trials: 99 }, { window: '60s', windowStart: 'Clock' }, undefined],
    [
      { trials: 99 },
      { window: '4s', windowStart: 'Clock' },
      /99 trials .* at most 2m: .*trials to \d\d or less/,
    ],
  ])('of %j take no longer than a fault may: limit %j', (parameters, limit, message) => {
    const reason = planned(spec(parameters, { ...HTTP, limit: { ...LIMIT, ...limit } })).unprovable(3);
    if (message) expect(reason).toMatch(message);
    else expect(reason).toBeUndefined();
  });

  it('need bursts over the limit of two windows if one may end during a burst', () => {
    const limit = { ...LIMIT, window: '1s', windowStart: 'Clock' };
    const of = (multiplier: number) => planned(spec({ multiplier }, { ...HTTP, limit }));
    expect(of(2).unprovable(2)).toMatch(/admit 20 .*multiplier to 3 or more/);
    expect(of(3).unprovable(2)).toBeUndefined();
    expect(planned(spec({}, { ...HTTP, limit })).unprovable(1)).toBeUndefined();
  });
});
