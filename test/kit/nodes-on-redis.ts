/** A real Redis with three real nodes of the bundled limiter over it, and no control plane: what a driver is led through. */
import type { RedisTarget } from '@chaosdemo/redis-faults';
import { type RedisServer, Supervisor, startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import type { LimiterMode } from '../../src/local/limiters.ts';
import type { PodTarget } from '../../src/subjects/targets/target.ts';
import { hostLimiters, threeNodes } from './hosted-limiters.ts';

/** Password of every user that {@link userLine} makes. */
export const PASSWORD = 'secret';

/** The line of a user in the configuration of Redis, with these rights. */
export function userLine(username: string, rights: string): string {
  return `user ${username} on >${PASSWORD} ${rights}`;
}

export class NodesOnRedis {
  readonly redis: RedisServer;
  /** A connection with every right, which no test has to share with what it tests. */
  readonly observer: Redis;
  readonly #nodes: ReadonlyMap<LimiterMode, readonly PodTarget[]>;
  readonly #supervisor: Supervisor;

  private constructor(
    supervisor: Supervisor,
    redis: RedisServer,
    nodes: ReadonlyMap<LimiterMode, readonly PodTarget[]>,
  ) {
    this.#supervisor = supervisor;
    this.#nodes = nodes;
    this.redis = redis;
    this.observer = new Redis({ host: redis.host, port: redis.port });
    this.observer.on('error', () => undefined);
  }

  /**
   * Starts the Redis, with these users besides that with all rights, and three nodes of each mode, all in one
   * process, with this limit for each caller, or 10. Nothing runs when it throws.
   */
  static async start(
    modes: readonly LimiterMode[] = ['approximate'],
    users: readonly string[] = [],
    limit?: number,
  ): Promise<NodesOnRedis> {
    const redis = await startRedis({ aclUsers: users });
    const supervisor = new Supervisor();
    try {
      const hosted = await Promise.all(
        modes.map((mode) =>
          threeNodes(mode, { mode, redisPort: redis.port, ...(limit !== undefined && { limit }) }),
        ),
      );
      if (hosted.length > 0) await hostLimiters(supervisor, hosted.flat());
      const nodes = hosted.map((some) => some.map(({ host, id, port }) => ({ name: id, host, port })));
      return new NodesOnRedis(supervisor, redis, new Map(modes.map((mode, i) => [mode, nodes[i] ?? []])));
    } catch (error) {
      await supervisor.close();
      await redis.stop();
      throw error;
    }
  }

  /** The three nodes of a mode that was started: `approximate-0` and so on. */
  nodes(mode: LimiterMode = 'approximate'): PodTarget[] {
    return [...(this.#nodes.get(mode) ?? [])];
  }

  /** The Redis as the operator is given it, logged in as a user of {@link userLine}; else with all rights. */
  target(username?: string): RedisTarget {
    const { host, port } = this.redis;
    const login = username === undefined ? {} : { username, password: PASSWORD };
    return { podName: 'redis-0', host, port, tls: false, ...login };
  }

  /** Ends the nodes first: they deliver their last counts while Redis is still there. */
  async stop(): Promise<void> {
    this.observer.disconnect();
    await this.#supervisor.close();
    await this.redis.stop();
  }
}
