import { describe, expect, it } from 'vitest';
import { limiterSpec } from '../../../../../test/kit/driven-limiter.ts';
import { type ScenarioSpec } from '../../../../api/index.ts';
import { type RateLimiterSpec, rateLimiterOf } from '../../spec/schema.ts';
import { api, OutagePlan } from './plan.ts';

const scenario = (change: object = {}): ScenarioSpec => {
  const plain = { name: 'outage', type: 'StoreOutage', expect: 'Any', countdown: '3s' } as ScenarioSpec;
  return { ...plain, storeOutage: api.schema.parse(change) };
};

const limiter = (limit: object = {}, identity = 'Key', redis: object = {}): RateLimiterSpec => {
  const path = identity === 'Key' ? '/$(key)' : '/';
  return rateLimiterOf(
    limiterSpec({ redis: { serviceName: 'redis', ...redis }, http: { identity, path }, limit }),
  );
};

const unprovable = (of: ScenarioSpec, by: RateLimiterSpec, pods: number) =>
  new OutagePlan(of, by, api).unprovable(pods);

describe('a store outage that can prove nothing', () => {
  it('is none by default, on up to 50 pods', () => {
    expect(unprovable(scenario(), limiter(), 3)).toBeUndefined();
    expect(unprovable(scenario(), limiter(), 50)).toBeUndefined();
  });

  it('has too short a pause for its callers', () => {
    const of = (duration: string, callerTimeout: string) =>
      unprovable(scenario({ fault: { duration }, callerTimeout, settle: '11s' }), limiter(), 3);
    expect(of('2s', '1500ms')).toContain('= 2:');
    expect(of('1s', '10s')).toContain('= 0:');
  });

  it('would have more requests wait at once than one run may', () => {
    expect(unprovable(scenario(), limiter(), 51)).toContain('= 1020 requests');
    const long = { callerTimeout: '9s', fault: { duration: '30s' }, settle: '10s' };
    const often = unprovable(scenario({ requestsPerSecond: 50, ...long }), limiter(), 2);
    expect(often).toContain('lower storeOutage.requestsPerSecond or callerTimeout');
  });
});

it.each(['Check', 'Skip'])('a store outage awaits limits and promises them: %s', (limitReturn) => {
  const { invariant, settleMs } = new OutagePlan(scenario({ limitReturn }), limiter(), api);
  const isChecked = limitReturn === 'Check';
  expect([settleMs > 60_000, invariant.includes('limit back')]).toEqual([isChecked, isChecked]);
});

describe('a store outage longer than a window', () => {
  const of = (limit: object, change: object = {}) => unprovable(scenario(change), limiter(limit), 3);

  it('shows something if callers send more than comes back', () => {
    expect(of({ window: '10s' })).toBeUndefined();
    expect(of({ window: '1s' })).toBeUndefined();
    expect(of({ window: '1s', windowStart: 'Clock' }, { requestsPerSecond: 10 })).toBeUndefined();
  });

  it('shows nothing if they do not, and names the field to raise', () => {
    const few = { requestsPerSecond: 4 };
    expect(of({ window: '1s' }, few)).toMatch(
      / 110 in the pause, .* 125 .*requestsPerSecond 4 x 3 pods send 102 .* raise store/,
    );
    expect(of({ window: '1s' }, { ...few, fault: { duration: '60s' } })).toMatch(
      /requestsPerSecond 4 x 3 pods = 12 .* needs 13 .* set storeOutage\.requestsPerSecond to 5,/,
    );
    expect(of({ window: '1s', windowStart: 'EachKey' }, few)).toContain('120 in the pause');
    const bucket = { window: '1s', requests: 50, algorithm: 'TokenBucket', burst: 5 };
    expect(of(bucket, { requestsPerSecond: 10 })).toMatch(/admits 505 in .* raise storeOutage\.request/);
  });
});

describe('a store outage of one caller alone', () => {
  const by = (limit: object, change: object, pods: number) =>
    unprovable(scenario(change), limiter(limit, 'SourceAddress'), pods);

  it('one caller is enough if each pod can get requests under and over its limit', () => {
    expect(by({ requests: 18 }, {}, 3)).toBeUndefined();
    expect(by({ requests: 100 }, {}, 3)).toBeUndefined();
  });

  it('has too small a limit for a caller under it on each pod', () => {
    expect(by({ requests: 17 }, {}, 3)).toMatch(
      / 3 pods .* 5 during .* 18 .*rateLimiter\.limit admits 17 .*: .*fewer pods, or/,
    );
    expect(by({ algorithm: 'TokenBucket', requests: 100, burst: 10 }, {}, 3)).toContain('admits 10 at once');
  });

  it('has too large a limit to reach it in the pause', () => {
    expect(by({ requests: 1000 }, {}, 3)).toMatch(
      / 1000 in the pause, .* 1015 .* 2 x storeOutage\.requestsPerSecond 5 x 3 pods send 255 .*10s: raise/,
    );
    // What comes back of a bucket has to be outrun, too.
    expect(by({ algorithm: 'TokenBucket', requests: 1800, burst: 30 }, {}, 3)).toContain(
      'the limit admits 330',
    );
  });

  it('does not fit between the ends of two windows by the clock', () => {
    const clock = { requests: 30, windowStart: 'Clock' };
    expect(by({ ...clock, window: '28s' }, {}, 3)).toBeUndefined();
    expect(by({ ...clock, window: '26s' }, {}, 3)).toMatch(/ 25s\. .*limit\.window of 26s has 23s/);
  });
});

it('ends connections only if Redis sees whose they are, so not behind a fault proxy', () => {
  const disconnect = scenario({ fault: { type: 'Disconnect' } });
  const proxied = limiter({}, 'Key', { faultProxy: { serviceName: 'p', authSecretName: 'p' } });
  expect(unprovable(disconnect, limiter(), 3)).toBeUndefined();
  expect(unprovable(disconnect, proxied, 3)).toContain('redis.faultProxy');
  expect(unprovable(scenario({ fault: { type: 'Refuse' } }), proxied, 3)).toBeUndefined();
});
