/** What tests of outcomes share: short scenarios, and somebody else who meddles with Redis. */
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import type { ChaosDemoStatus, ScenarioStatus } from '../../../src/api/index.ts';
import type { World } from './world.ts';

/** A pause of a few seconds with enough traffic for a proof. */
export function drift(changes: object = {}): object {
  return {
    name: 'drift',
    type: 'CounterDrift',
    countdown: '0s',
    counterDrift: { pause: '4s', requestsPerSecond: 60, threshold: 5, settle: '1s' },
    ...changes,
  };
}

/** A burst of twice the limit. */
export function ghosts(changes: object = {}): object {
  return {
    name: 'ghosts',
    type: 'GhostAllowing',
    countdown: '0s',
    ghostAllowing: { settle: '1s' },
    ...changes,
  };
}

/** Waits until the pause of a demo is proven and on. */
export async function untilPaused(world: World, name: string): Promise<ScenarioStatus> {
  const { scenarios } = await world.untilStatus(
    name,
    `the pause of ${name} to be confirmed`,
    (status) => status.scenarios?.[0]?.fault?.proof === 'Confirmed',
  );
  return scenarios?.[0] ?? expect.unreachable('no scenario');
}

/** Redis for somebody with every right; only while a run is on, or its admission finds a stranger. */
export async function asAdmin<T>({ environment }: World, act: (redis: Redis) => Promise<T>): Promise<T> {
  const { host, port } = environment.redis;
  const { username, password } = environment.redisUsers.admin;
  const redis = new Redis({ host, port, username, password, lazyConnect: true });
  redis.on('error', () => undefined);
  await redis.connect();
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
  const scenario = status.scenarios?.[0];
  expect(scenario).toMatchObject({ result: 'Inconclusive', reason });
  expect(scenario?.message).toMatch(missing);
  expect(status.run?.verdict).toMatchObject({ phase: 'Errored', reason: 'Inconclusive' });
  expect(status.message).toMatch(missing);
  expect(status.asExpected).toBe('0/1');
  const condition = status.conditions?.find(({ type }) => type === scenario?.type);
  expect(condition).toMatchObject({ status: 'Unknown', reason });
  expect(await world.takesWrites()).toBe(true);
  return scenario ?? expect.unreachable('no scenario');
}
