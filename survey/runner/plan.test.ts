import { expect, it } from 'vitest';
import { UsageError } from '../../src/settings/settings.ts';
import { surveyPlan } from './plan.ts';

it('plans a store outage and a burst for a limiter as it comes', async () => {
  const { demo, from } = await surveyPlan('koa-ratelimit', undefined);
  expect(from).toContain('koa-ratelimit (default)');
  expect(demo).toMatchObject({
    metadata: { namespace: 'ratelimiter' },
    spec: { scenarios: [{ type: 'StoreOutage' }, { type: 'GhostAllowing' }] },
  });
});

it('names the variants when there is none of that name', async () => {
  const plan = surveyPlan('koa-ratelimit', 'x');
  await expect(plan).rejects.toThrow(UsageError);
  await expect(plan).rejects.toThrow(/koa-ratelimit .*one of default, timeout/);
});
