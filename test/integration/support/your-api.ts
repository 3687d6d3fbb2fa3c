/** A rate limiter that people run, as the pods of an API in a world: what docs/your-limiter.md is about. */
import { registerPods } from '@chaosdemo/testbed';
import { expect } from 'vitest';
import { install } from '../../../survey/runner/install.ts';
import { loadLimiter } from '../../../survey/runner/limiters.ts';
import { startLimiter } from '../../../survey/runner/start.ts';
import type { World } from '../../kit/world.ts';

export interface YourApi {
  readonly limiter: string;
  readonly variant: string;
  readonly configured: { readonly limit: number; readonly windowSeconds: number };
}

/** Starts three processes of it over the Redis of `world`, and registers them as pods; they end with the world. */
export async function startYourApi(
  { environment, namespace }: World,
  { configured, limiter: name, variant: variantName }: YourApi,
): Promise<void> {
  const { controlPlane, redis, redisUsers, supervisor } = environment;
  const limiter = await loadLimiter(name);
  const variant = limiter.variants.find((each) => each.name === variantName) ?? expect.unreachable();
  const app = await install(limiter, { progress: () => undefined });
  const { password, username } = redisUsers.admin;
  const processes = await startLimiter({
    supervisor,
    limiter,
    variant,
    app,
    ...configured,
    count: 3,
    redisUrl: `redis://${username}:${password}@${redis.host}:${redis.port}`,
    folder: supervisor.temporaryFolder('your-api'),
  });
  await registerPods(
    controlPlane.kubectl,
    processes.map(({ ip, name: pod, port, process: { pid } }) => ({
      namespace,
      name: pod,
      labels: { 'app.kubernetes.io/name': 'your-api' },
      container: 'api',
      ip,
      pid,
      image: 'local/your-api:test',
      imageId: 'local/your-api@sha256:0',
      port: { name: 'http', number: port },
    })),
  );
}
