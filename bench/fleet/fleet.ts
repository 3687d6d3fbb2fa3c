/** Many rate limiters in addition to that of the environment, each of three pods over its own Redis. */
import {
  type OwnedProcess,
  type RedisServer,
  registerPods,
  serviceObject,
  startRedis,
} from '@chaosdemo/testbed';
import { aclLines } from '../../src/local/redis-users.ts';
import { limiterPods, redisPod } from '../../src/local/target.ts';
import { rateLimiterOf, redisRef } from '../../test/kit/demo.ts';
import {
  asLimiter,
  type HostedNode,
  hostLimiters,
  LIMITER_HOSTS,
  threeNodes,
} from '../../test/kit/hosted-limiters.ts';
import type { Testbed } from '../testbed.ts';

/** One rate limiter of the fleet. */
interface Group {
  readonly name: string;
  readonly redis: RedisServer;
  readonly nodes: readonly HostedNode[];
}

export class Fleet {
  readonly #groups: readonly Group[];
  readonly #processes: readonly OwnedProcess[];

  private constructor(groups: readonly Group[], processes: readonly OwnedProcess[]) {
    this.#groups = groups;
    this.#processes = processes;
  }

  /** Starts `count` of them and registers their pods; what was started ends with the testbed at the latest. */
  static async start(testbed: Testbed, count: number): Promise<Fleet> {
    const groups: Group[] = [];
    const processes: OwnedProcess[] = [];
    const fleet = new Fleet(groups, processes);
    try {
      for (let i = 0; i < count; i++) groups.push(await startGroup(testbed, `fleet-${i}`));
      for (const host of LIMITER_HOSTS) processes.push(await startHost(testbed, host, groups));
      for (const group of groups) await register(testbed, group, processes);
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  /** The subject of a ChaosDemo for each of them. */
  get rateLimiters(): object[] {
    return this.#groups.map(({ name }) =>
      rateLimiterOf({
        selector: { matchLabels: named(name) },
        redis: redisRef({ serviceName: `${name}-redis`, authSecretName: `${name}-redis-auth` }),
      }),
    );
  }

  /** Ends the processes. The pods stay registered, and no demo selects them any more. */
  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
    await Promise.all(this.#groups.map(({ redis }) => redis.stop()));
  }
}

async function startGroup({ environment }: Testbed, name: string): Promise<Group> {
  const redis = await startRedis({
    supervisor: environment.supervisor,
    aclUsers: aclLines(environment.redisUsers),
  });
  const nodes = await threeNodes(name, { mode: 'approximate', redisPort: redis.port });
  return { name, redis, nodes };
}

/** All nodes of one address in one process. */
async function startHost(
  { environment }: Testbed,
  host: string,
  groups: readonly Group[],
): Promise<OwnedProcess> {
  const nodes = groups.flatMap((group) => group.nodes.filter((node) => node.host === host));
  return await hostLimiters(environment.supervisor, nodes, environment.redisUsers.limiter);
}

/** As the limiters and the Redis of the environment, under other names; `hosts` in the order of the nodes. */
async function register(
  { environment: { controlPlane, namespace, redisUsers } }: Testbed,
  { name, redis, nodes }: Group,
  hosts: readonly OwnedProcess[],
): Promise<void> {
  const { kubectl } = controlPlane;
  const limiters = hosts.map((process, i) => asLimiter(nodes[i] as HostedNode, process));
  const redisName = `${name}-redis`;
  const redisLabels = named(redisName);
  await registerPods(kubectl, [
    ...limiterPods(namespace, limiters).map((pod) => ({ ...pod, labels: named(name) })),
    { ...redisPod(namespace, redis), name: redisName, labels: redisLabels },
  ]);
  const service = { namespace, name: redisName, selector: redisLabels, port: 6379, targetPort: 'redis' };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'chaosdemo.dev/redis-auth',
    // A Secret without the key `service` is valid for the Service in front of `-auth`.
    metadata: { namespace, name: `${redisName}-auth` },
    stringData: { ...redisUsers.operator },
  };
  await kubectl.apply([serviceObject(service), secret]);
}

function named(name: string): Record<string, string> {
  return { 'app.kubernetes.io/name': name };
}
