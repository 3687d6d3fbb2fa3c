import { expect, it } from 'vitest';
import type { ScenarioSpec } from '../../../api/index.ts';
import type { Toolkit } from '../tools.ts';
import { Attempt } from './attempt.ts';
import type { ScenarioType } from './scenario-type.ts';

it('names a Service that has not followed a failover, without a long wait', async () => {
  const toolkit = {
    now: () => Date.now(),
    timeoutMs: 50,
    redis: {
      name: 'redis-0',
      failover: { former: 'redis-0', hasMoved: false },
      follow: async () => Promise.reject(new Error('redis.service leads to redis-0')),
      openProbeWriter: async () => Promise.reject(new Error('READONLY')),
    },
  } as unknown as Toolkit;
  const type = { workload: () => ({}) } as unknown as ScenarioType;
  const attempt = new Attempt(type, {} as ScenarioSpec, toolkit, () => undefined);
  // Longer than any test may take.
  const report = await attempt.recover(3_600_000, new AbortController().signal);
  expect(report.workedAt).toBeUndefined();
  expect(report.message).toContain('redis.service leads to redis-0');
});

it('a closed attempt keeps neither its fault nor its workload', async () => {
  const type = {
    fault: () => ({ inquire: async () => 'Injected' }),
    workload: () => ({}),
  } as unknown as ScenarioType;
  const attempt = new Attempt(type, {} as ScenarioSpec, {} as Toolkit, () => undefined);
  await expect(attempt.inquire('marker')).resolves.toBe('Injected');
  attempt.close();
  await expect(attempt.inquire('marker')).resolves.toBe('Unknown');
  await expect(attempt.prepare('demo-a', new AbortController().signal)).rejects.toThrow('closed');
});
