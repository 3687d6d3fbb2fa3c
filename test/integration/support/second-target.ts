/** Another Redis with rate limiters of its own, in a namespace of its own, beside those of a world. */
import { fileURLToPath } from 'node:url';
import { limiterPods, startLimiters } from '../../../src/local/limiters.ts';
import { registerPods, serviceObject } from '../../../src/local/pods.ts';
import type { RedisServer } from '../../../src/local/redis-server.ts';
import type { RedisUser } from '../../../src/local/redis-users.ts';
import { readIn } from './operator-account.ts';
import type { World } from './world.ts';

const BINDING = fileURLToPath(
  new URL('../../../manifests/operator/enable-namespace/role-binding.yaml', import.meta.url),
);

export interface SecondTargetOptions {
  readonly namespace: string;
  readonly mode: 'approximate' | 'strict';
  readonly redis: RedisServer;
  /** As whom the limiters log in. */
  readonly limiterUser: RedisUser;
  /** PEM file of the authority, where Redis speaks TLS. */
  readonly caFile?: string;
  /** The data of the Secret `redis-auth`, for the operator. */
  readonly secret: Readonly<Record<string, string>>;
}

/** Starts the limiters and registers everything; all of it ends with the world. Returns the world seen from there. */
export async function addTarget(world: World, options: SecondTargetOptions): Promise<World> {
  const { namespace, mode, redis, limiterUser, caFile, secret } = options;
  const { controlPlane, supervisor } = world.environment;
  const { kubectl } = controlPlane;
  const limiters = await startLimiters({
    supervisor,
    mode,
    count: 3,
    redis: { host: redis.host, port: redis.port, user: limiterUser, ...(caFile ? { caFile } : {}) },
    folder: supervisor.temporaryFolder(`limiters-${namespace}`),
  });
  await kubectl.createNamespace(namespace, { 'chaosdemo.dev/enabled': 'true' });
  await kubectl.apply(await readIn(BINDING, namespace));
  const labels = { 'app.kubernetes.io/name': 'redis' };
  await registerPods(kubectl, [
    ...(await limiterPods(namespace, limiters)),
    {
      namespace,
      name: 'redis-0',
      labels,
      container: 'redis',
      image: 'local/redis:test',
      imageId: 'local/redis@sha256:0',
      port: { name: 'redis', number: redis.port },
      ip: redis.host,
      pid: redis.pid,
    },
  ]);
  await kubectl.apply([
    serviceObject({ namespace, name: 'redis', selector: labels, port: 6379, targetPort: 'redis' }),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'chaosdemo.dev/redis-auth',
      metadata: { namespace, name: 'redis-auth' },
      stringData: secret,
    },
  ]);
  return world.in(namespace);
}
