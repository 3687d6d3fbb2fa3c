import { expect, it } from 'vitest';
import { limiterSpec } from '../../../../../test/kit/driven-limiter.ts';
import { type ScenarioSpec } from '../../../../api/index.ts';
import { type RateLimiterSpec, rateLimiterOf } from '../../spec/schema.ts';
import { api, OutagePlan } from './plan.ts';

const COUNT = { key: 'rl:$(key)' };

const scenario = (change: object = {}): ScenarioSpec => {
  const plain = { name: 'loss', type: 'StoreOutage', expect: 'Any', countdown: '3s' } as ScenarioSpec;
  const parameters = api.schema.parse({});
  return {
    ...plain,
    storeOutage: { ...parameters, fault: { type: 'DataLoss', duration: '10s' }, ...change },
  };
};

const limiter = (change: { count?: object | undefined; limit?: object } = {}): RateLimiterSpec => {
  const { limit = {} } = change;
  const count = 'count' in change ? change.count : COUNT;
  return rateLimiterOf(
    limiterSpec({ redis: { serviceName: 'redis', count }, http: { path: '/$(key)' }, limit }),
  );
};

it.each([
  ['none by default', limiter(), {}, undefined],
  [
    'none for another type',
    limiter({ count: undefined }),
    { fault: { type: 'Stall', duration: '10s' } },
    undefined,
  ],
  [
    'of windows that end',
    limiter({ limit: { window: '10s' } }),
    {},
    'windows of rateLimiter.limit.window 10s',
  ],
  ['of too few requests', limiter({ limit: { requests: 200 } }), {}, 'send 215 requests after the loss'],
] as const)('lost counts that can show nothing %s', (_, of, change, problem) => {
  const found = new OutagePlan(scenario(change), of, api).unprovable(3);
  if (problem === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(problem);
});

it('the counts that are lost are of callers that used a part of their limit', () => {
  const keys = new OutagePlan(scenario(), limiter(), api).usedKeys(3, 'demo-x');
  expect(keys.slice(0, 2)).toEqual(['demo-x-c0', 'demo-x-c1']);
  // The third is new in the fault.
  expect(keys).not.toContain('demo-x-c2');
  expect(keys.length).toBeGreaterThan(10);
  expect(keys.length).toBeLessThan(24);
});
