/** Helpers for tests of outcomes: the pause of a demo, Redis as an admin, and the result of a broken proof. */
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { type ChaosDemoStatus, type ScenarioStatus, violationCondition } from '../../../src/api/index.ts';
import { asExpectedOf, conditionOf, isConfirmed, scenarioOf } from '../../kit/status.ts';
import type { World } from '../../kit/world.ts';

/** Waits until the pause of a demo is proven and on. */
export async function untilPaused(world: World, name: string): Promise<ScenarioStatus> {
  return scenarioOf(await world.untilStatus(name, `the pause of ${name} to be confirmed`, isConfirmed));
}

/** A Redis connection with every right; only during a run, since an admission would find a foreign client. */
export async function asAdmin<T>(world: World, act: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = await world.redisAs('admin');
  try {
    return await act(redis);
  } finally {
    redis.disconnect();
  }
}

/** An Inconclusive scenario makes the run Errored, whatever was expected, and says what was missing. */
export async function expectInconclusive(
  world: World,
  name: string,
  reason: 'FaultNotProven' | 'EvidenceIncomplete' | 'ObservationLost',
  missing: RegExp,
): Promise<ScenarioStatus> {
  const status: ChaosDemoStatus = await world.ended(name);
  const scenario = scenarioOf(status);
  expect(scenario).toMatchObject({ result: 'Inconclusive', reason });
  expect(scenario.message).toMatch(missing);
  expect(status.run).toMatchObject({ phase: 'Errored', reason: 'Inconclusive' });
  expect(status.message).toMatch(missing);
  expect(asExpectedOf(status)).toBe('0/1');
  expect(conditionOf(status, violationCondition(scenario.type))).toMatchObject({ status: 'Unknown', reason });
  expect(await world.takesWrites()).toBe(true);
  return scenario;
}
