/** The embedded run below the operator, on a real control plane of its own. */
import type { ControlPlane, RedisServer } from '@chaosdemo/testbed';
import {
  launchBundled,
  type Stage,
  type StageOptions,
  serveCluster,
  startStage,
} from '../../src/local/environment.ts';
import type { LimiterMode } from '../../src/local/limiters.ts';
import { makeRedisUsers, type RedisUsers } from '../../src/local/redis-users.ts';
import { ensureControlPlaneBinaries } from '../../tools/binaries/control-plane.ts';
import { ensureRedis } from '../../tools/binaries/redis.ts';

export interface EnvironmentOptions extends StageOptions {
  readonly mode: LimiterMode;
}

/** A running environment with the bundled rate limiter. */
export interface Environment extends Stage<Awaited<ReturnType<typeof serveCluster>>> {
  readonly controlPlane: ControlPlane;
  readonly redis: RedisServer;
  readonly redisUsers: RedisUsers;
}

/** Brings up a control plane and the bundled rate limiter. */
export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const redisUsers = makeRedisUsers();
  const { onProgress, signal } = options;
  const step = { progress: (message: string): void => onProgress('binaries', message), signal };
  await ensureRedis(step);
  await ensureControlPlaneBinaries(step);
  const { promise: redis, resolve } = Promise.withResolvers<RedisServer>();
  const stage = await startStage(options, serveCluster, async (start) => {
    const started = await launchBundled(start, options.mode, redisUsers);
    resolve(started.server);
    return started;
  });
  return { ...stage, controlPlane: stage.api.controlPlane, redis: await redis, redisUsers };
}
