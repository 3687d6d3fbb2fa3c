/** The embedded run below the operator, on a real control plane of its own. */
import type { ControlPlane, RedisServer } from '@chaosdemo/testbed';
import {
  type ClusterApi,
  launchBundled,
  type Stage,
  type StageOptions,
  serveCluster,
  startStage,
} from '../../src/local/environment.ts';
import type { LimiterMode } from '../../src/local/limiters.ts';
import { makeRedisUsers, type RedisUsers } from '../../src/local/redis-users.ts';

export interface EnvironmentOptions extends StageOptions {
  readonly mode: LimiterMode;
}

/** A running environment with the bundled rate limiter. */
export interface Environment extends Stage<ClusterApi> {
  readonly controlPlane: ControlPlane;
  readonly redis: RedisServer;
  readonly redisUsers: RedisUsers;
}

/** Brings up a control plane and the bundled rate limiter. */
export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const redisUsers = makeRedisUsers();
  const stage = await startStage(
    options,
    serveCluster,
    async (start) => await launchBundled(start, options.mode, redisUsers),
  );
  // launchBundled has started one.
  return { ...stage, controlPlane: stage.api.controlPlane, redis: stage.redis as RedisServer, redisUsers };
}
