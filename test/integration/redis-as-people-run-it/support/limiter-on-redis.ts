/**
 * What a pause is tried on without a control plane: a real Redis with the users that ship, three real nodes of the
 * rate limiter over it, and the very driver and admission of the operator, logged in as its user.
 */
import { admitRedis, RedisRefusal, type RedisTarget } from '@chaosdemo/redis-faults';
import { type RedisServer, Supervisor, startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import type { ChaosDemoSpec } from '../../../../src/api/index.ts';
import type { LimiterMode } from '../../../../src/local/limiters.ts';
import { aclLines, makeRedisUsers, type RedisUsers } from '../../../../src/local/redis-users.ts';
import type { PodTarget } from '../../../../src/subjects/targets/target.ts';
import { DrivenLimiter, limiterSpec } from '../../../kit/driven-limiter.ts';
import { type HostedNode, hostLimiters, LIMITER_HOSTS, threeNodes } from '../../../kit/hosted-limiters.ts';

/** How each Redis is started. */
export interface Ground {
  readonly mode: LimiterMode;
  /** Further lines of redis.conf. */
  readonly settings?: readonly string[];
}

let keys = 0;

/** One Redis and its nodes. */
export class LimiterOnRedis {
  readonly server: RedisServer;
  readonly nodes: readonly PodTarget[];
  readonly users: RedisUsers;
  /** Tests run at the same time, and each uses several: all is closed at the end. */
  readonly #open: (() => Promise<void>)[] = [];

  constructor(server: RedisServer, users: RedisUsers, nodes: readonly HostedNode[]) {
    this.server = server;
    this.users = users;
    this.nodes = nodes.map(({ id, host, port }) => ({ name: id, host, port }));
  }

  /** As the operator sees it; `change` replaces what it logs in with. */
  target(change: Partial<RedisTarget> = {}): RedisTarget {
    const { host, port } = this.server;
    return { podName: 'redis-0', host, port, tls: false, ...this.users.operator, ...change };
  }

  /** Whether the operator would pause it: the run_id. @throws Refusal */
  async admit(target = this.target(), connected = false): Promise<string> {
    const { signal } = new AbortController();
    const { runId } = await admitRedis(
      { redis: [target], addresses: LIMITER_HOSTS },
      { allowOtherClients: false, longestMs: 0, connected },
      signal,
    );
    return runId;
  }

  /** The message of the refusal. @throws if it is admitted */
  async refusal(target = this.target()): Promise<string> {
    const outcome = await this.admit(target).catch((error: unknown) => error);
    if (!(outcome instanceof RedisRefusal)) throw new Error(`it was not refused: ${String(outcome)}`);
    return `${outcome.reason}: ${outcome.message}`;
  }

  /** A driver of a run on it. */
  driver(target = this.target()): DrivenLimiter {
    const driver = new DrivenLimiter({
      pods: this.nodes,
      redis: target,
      spec,
      // As the operator does before each pause.
      checkStore: async () => {
        const found = await this.admit(target, true).catch((error: unknown) => error);
        return found instanceof RedisRefusal ? { state: 'refused', admission: found } : { state: 'free' };
      },
    });
    this.#open.push(() => driver.close());
    return driver;
  }

  /** A driver with a key set up for the fault `f`. */
  async prepared(scenario: 'drift' | 'ghosts', driver = this.driver()) {
    const key = `demo-people-${process.pid}-${(keys += 1)}`;
    await driver.prepare(scenario, key);
    return { driver, key };
  }

  /** A connection with every right; not during an admission, to which it would be a foreign client. */
  async admin(): Promise<Redis> {
    const { host, port } = this.server;
    const redis = new Redis({
      host,
      port,
      ...this.users.admin,
      lazyConnect: true,
      retryStrategy: () => null,
    });
    redis.on('error', () => undefined);
    this.#open.push(async () => redis.disconnect());
    await redis.connect();
    return redis;
  }

  /** Closes its drivers and connections. */
  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((close) => close()));
  }
}

/** A pause of 2 s on a limit of 10, and a burst of twice the limit. */
export const spec: ChaosDemoSpec = limiterSpec(
  { limit: { requests: 10, window: '60s' }, health: { timeout: '5s' } },
  [
    {
      name: 'drift',
      type: 'CounterDrift',
      expect: 'Violated',
      counterDrift: { fault: { duration: '2s' }, requestsPerSecond: 60, settle: '1s' },
    },
    { name: 'ghosts', type: 'GhostAllowing', expect: 'Violated', ghostAllowing: { multiplier: 2 } },
  ],
);

/** Several of them, whose nodes share one process. */
export class Grounds {
  readonly all: readonly LimiterOnRedis[];
  readonly #supervisor: Supervisor;

  private constructor(all: readonly LimiterOnRedis[], supervisor: Supervisor) {
    this.all = all;
    this.#supervisor = supervisor;
  }

  static async start(grounds: readonly Ground[]): Promise<Grounds> {
    const supervisor = new Supervisor();
    const users = makeRedisUsers();
    try {
      const servers = await Promise.all(
        grounds.map(({ settings = [] }) => startRedis({ supervisor, aclUsers: aclLines(users), settings })),
      );
      const nodes = await Promise.all(
        servers.map(({ port }, i) => {
          const mode = grounds[i]?.mode ?? 'approximate';
          return threeNodes(`${mode}-${i}`, { mode, redisPort: port });
        }),
      );
      await hostLimiters(supervisor, nodes.flat(), users.limiter);
      return new Grounds(
        servers.map((server, i) => new LimiterOnRedis(server, users, nodes[i] ?? [])),
        supervisor,
      );
    } catch (error) {
      await supervisor.close();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((ground) => ground.close()));
    await this.#supervisor.close();
  }
}
