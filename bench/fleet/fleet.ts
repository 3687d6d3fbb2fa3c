/** Many rate limiters beside that of the environment, each of three nodes over a Redis of its own. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { registerPods, serviceObject } from '../../src/local/pods.ts';
import { freePort } from '../../src/local/ports.ts';
import { type RedisServer, startRedis } from '../../src/local/redis-server.ts';
import { aclLines } from '../../src/local/redis-users.ts';
import type { OwnedProcess } from '../../src/local/supervisor.ts';
import type { World } from '../world.ts';

/** A node of a rate limiter in a process that it shares with others. */
export interface HostedNode {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly redisPort: number;
}

/** The addresses that the limiters of the environment have too; ports tell the nodes apart. */
const HOSTS = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];
const PROGRAM = fileURLToPath(new URL('limiter-host.ts', import.meta.url));

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

  /** Starts `count` of them and registers their pods; what was started ends with the world at the latest. */
  static async start(world: World, count: number): Promise<Fleet> {
    const groups: Group[] = [];
    const processes: OwnedProcess[] = [];
    const fleet = new Fleet(groups, processes);
    try {
      for (let i = 0; i < count; i++) groups.push(await startGroup(world, `fleet-${i}`));
      for (const host of HOSTS) processes.push(await startHost(world, host, groups));
      await world.forEach(
        groups.flatMap(({ nodes }) => nodes),
        (node) => untilHealthy(world, node, processes),
      );
      for (const group of groups) await register(world, group, processes);
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  /** The subject of a ChaosDemo for each of them. */
  get subjects(): object[] {
    return this.#groups.map(({ name }) => ({
      rateLimiter: {
        selector: { matchLabels: { 'app.kubernetes.io/name': name } },
        redis: { service: { name: `${name}-redis` }, authSecretRef: { name: 'redis-auth' } },
      },
    }));
  }

  /** Ends the processes. The pods stay registered; nobody selects them any more. */
  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
    await Promise.all(this.#groups.map(({ redis }) => redis.stop()));
  }
}

async function startGroup({ environment }: World, name: string): Promise<Group> {
  const redis = await startRedis({
    dir: environment.supervisor.temporaryFolder(name),
    // The users of the environment's Redis, so that its Secret is right for these too.
    aclUsers: aclLines(environment.redisUsers),
  });
  const port = await freePort(HOSTS);
  const nodes = HOSTS.map((host, i) => ({ id: `${name}-${i}`, host, port, redisPort: redis.port }));
  return { name, redis, nodes };
}

/** All nodes of one address in one process. */
async function startHost(
  { environment }: World,
  host: string,
  groups: readonly Group[],
): Promise<OwnedProcess> {
  const { supervisor, redisUsers } = environment;
  const nodes = groups.flatMap((group) => group.nodes.filter((node) => node.host === host));
  return await supervisor.start({
    name: `limiters at ${host}`,
    command: process.execPath,
    args: [PROGRAM, JSON.stringify(nodes)],
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      REDIS_USERNAME: redisUsers.limiter.username,
      REDIS_PASSWORD: redisUsers.limiter.password,
    },
    logFile: join(supervisor.temporaryFolder('fleet'), 'limiters.log'),
  });
}

async function untilHealthy(
  world: World,
  { id, host, port }: HostedNode,
  processes: readonly OwnedProcess[],
): Promise<void> {
  await world.until(`${id} to be healthy`, async () => {
    const ended = processes.find(({ exit }) => exit);
    if (ended) throw ended.exitError();
    try {
      const answer = await request(`http://${host}:${port}/health`, { signal: AbortSignal.timeout(10_000) });
      await answer.body.dump();
      return answer.statusCode === 200;
    } catch {
      return false;
    }
  });
}

async function register(
  { environment }: World,
  { name, redis, nodes }: Group,
  processes: readonly OwnedProcess[],
): Promise<void> {
  const { namespace, controlPlane } = environment;
  const { kubectl } = controlPlane;
  const redisLabels = { 'app.kubernetes.io/name': `${name}-redis` };
  const common = { namespace, imageId: 'local/fleet@sha256:0', image: 'local/fleet' };
  await registerPods(kubectl, [
    ...nodes.map((node, i) => ({
      ...common,
      name: node.id,
      labels: { 'app.kubernetes.io/name': name },
      container: 'ratelimiter',
      port: { name: 'http', number: node.port },
      ip: node.host,
      pid: processes[i]?.pid ?? 0,
    })),
    {
      ...common,
      name: `${name}-redis`,
      labels: redisLabels,
      container: 'redis',
      port: { name: 'redis', number: redis.port },
      ip: redis.host,
      pid: redis.pid,
    },
  ]);
  const service = {
    namespace,
    name: `${name}-redis`,
    selector: redisLabels,
    port: 6379,
    targetPort: 'redis',
  };
  await kubectl.apply([serviceObject(service)]);
}
