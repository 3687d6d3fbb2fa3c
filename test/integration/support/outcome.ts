/** Helpers for tests of outcomes: the pause of a demo, Redis as an admin, and the result of a broken proof. */
import type { Redis } from 'ioredis';
import { type ScenarioStatus } from '../../../src/api/index.ts';
import { isConfirmed, scenarioOf } from '../../kit/status.ts';
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
