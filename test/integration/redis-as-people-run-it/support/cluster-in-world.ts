/** A Redis Cluster as pods behind a Service, and rate limiters that count in it. */
import { registerPods, serviceObject } from '@chaosdemo/testbed';
import type { World } from '../../../kit/world.ts';
import { type Clustered, clusteredPod } from './clustered-pod.ts';
import { RedisCluster } from './redis-cluster.ts';
import { PODS } from './topology.ts';

const LABELS = { app: 'redis-cluster' };
const SERVICE = 'redis-cluster';
const AUTH = 'redis-cluster-auth';

/** Requests in a window that its rate limiters admit. */
export const LIMIT = 10;

type Server = { readonly name: string; readonly host: string; readonly port: number };

export class ClusterInWorld {
  readonly redis: RedisCluster;
  readonly #world: World;

  private constructor(world: World, redis: RedisCluster) {
    this.#world = world;
    this.redis = redis;
  }

  static async start(world: World, masters: number, replicas: number): Promise<ClusterInWorld> {
    const { controlPlane, namespace, supervisor } = world.environment;
    const redis = await RedisCluster.start(supervisor, masters, replicas);
    const started = new ClusterInWorld(world, redis);
    await started.addNodes();
    const [{ password = '', port, username = '' }] = redis.pods();
    await controlPlane.kubectl.apply([
      serviceObject({ namespace, name: SERVICE, selector: LABELS, port, targetPort: 'main' }),
      {
        apiVersion: 'v1',
        kind: 'Secret',
        type: 'chaosdemo.dev/redis-auth',
        metadata: { namespace, name: AUTH },
        stringData: { username, password },
      },
    ]);
    return started;
  }

  /** Makes Ready pods of its nodes. @param from the number of the first */
  async addNodes(from = 0): Promise<void> {
    const pods = this.redis.pods().slice(from);
    await this.#register(
      LABELS,
      pods.map(({ host, podName, port }) => ({ host, name: `cluster-${podName}`, port })),
    );
  }

  async #register(labels: Readonly<Record<string, string>>, servers: readonly Server[]): Promise<void> {
    const { controlPlane, namespace } = this.#world.environment;
    const pods = servers.map(({ host, name, port }) => ({
      namespace,
      name,
      labels,
      container: 'main',
      image: 'main:1',
      imageId: 'main@sha256:1',
      port: { name: 'main', number: port },
      ip: host,
    }));
    await registerPods(controlPlane.kubectl, pods);
  }

  /** `spec.rateLimiter` for two pods that count in the Cluster; they end with the test. */
  async limiter(name: string, how: Clustered = {}) {
    const labels = { app: name };
    const nodes = this.redis.pods();
    const pods = await Promise.all(
      PODS.map((address, i) => clusteredPod(`${name}-${i}`, address, nodes, LIMIT, how)),
    );
    await this.#register(labels, pods);
    const window = `${how.windowS ?? 15}s`;
    const redis = { serviceName: SERVICE, port: nodes[0].port, authSecretName: AUTH };
    return {
      selector: { matchLabels: labels },
      port: 'main',
      http: { headers: [{ name: 'x-caller', value: '$(key)' }] },
      limit: { requests: LIMIT, window, algorithm: 'FixedWindow', windowStart: 'FirstRequest' },
      redis: { ...redis, count: { key: 'rl:$(key)' } },
    };
  }

  close(): void {
    this.redis.close();
  }
}
