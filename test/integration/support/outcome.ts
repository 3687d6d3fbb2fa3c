/** Helpers for tests of outcomes: another client that interferes with Redis, and the result of a broken proof. */
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { type ChaosDemoStatus, type ScenarioStatus, violationCondition } from '../../../src/api/index.ts';
import { asExpectedOf, conditionOf, isConfirmed, scenarioOf } from '../../kit/status.ts';
import type { World } from '../../kit/world.ts';

/** Waits until the pause of a demo is proven and on. */
export async function untilPaused(world: World, name: string): Promise<ScenarioStatus> {
  return scenarioOf(await world.untilStatus(name, `the pause of ${name} to be confirmed`, isConfirmed));
}

/** Waits until the fault of a demo is counted down to: Setup has found the rate limiter as it should be by then. */
export async function untilCountdown(world: World, name: string): Promise<void> {
  await world.untilStatus(name, `the countdown of ${name}`, ({ chapter }) => /countdown/.test(chapter ?? ''));
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

/** Ends every pause of Redis again and again, until the returned function is called. */
export function undoPauses(world: World): () => Promise<void> {
  let on = true;
  const undoing = asAdmin(world, async (redis) => {
    while (on) await redis.call('CLIENT', 'UNPAUSE');
  });
  return async () => {
    on = false;
    await undoing;
  };
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
