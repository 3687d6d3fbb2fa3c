/** A Redis with replicas, all of them real, and a connection to each. */
import { type RedisServer, type Supervisor, startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import type { RedisUser } from '../../src/local/redis-users.ts';
import { until } from './until.ts';

const SETTINGS = [
  'repl-diskless-sync-delay 0',
  // Shorter than the faults: a link that they held up would break.
  'repl-ping-replica-period 1',
  'repl-timeout 3',
];

interface ReplicatedOptions {
  readonly aclUsers: readonly string[];
  /** Has every right, and is the user by which replicas log in; left out: the default user, without a password. */
  readonly admin?: RedisUser;
}

export class ReplicatedRedis {
  /** The master, as they were started, and then its replicas. */
  readonly servers: readonly [RedisServer, ...RedisServer[]];
  /** Connections with every right, in the order of the servers. */
  readonly observers: readonly Redis[];

  private constructor(servers: readonly [RedisServer, ...RedisServer[]], admin: RedisUser | undefined) {
    this.servers = servers;
    this.observers = servers.map(({ host, port }) => {
      const redis = new Redis({ host, port, ...admin });
      redis.on('error', () => undefined);
      return redis;
    });
  }

  /**
   * Resolves once the replicas are in sync.
   * @param from the address that each replica connects from
   */
  static async start(
    supervisor: Supervisor,
    from: readonly string[],
    { aclUsers, admin }: ReplicatedOptions,
  ): Promise<ReplicatedRedis> {
    const login = admin ? [`masteruser ${admin.username}`, `masterauth ${admin.password}`] : [];
    const settings = [...SETTINGS, ...login];
    const master = await startRedis({ supervisor, aclUsers, settings });
    const replicaOf = `replicaof ${master.host} ${master.port}`;
    const replicas = await Promise.all(
      from.map((address) =>
        startRedis({
          supervisor,
          aclUsers,
          settings: [...settings, replicaOf, `bind-source-addr ${address}`],
        }),
      ),
    );
    const started = new ReplicatedRedis([master, ...replicas], admin);
    await until(async () => (await started.links()).every((link) => link === 'up'), {
      what: 'the replicas to be in sync',
      deadlineMs: 30_000,
    });
    return started;
  }

  /** The state of the link to the master of each but the first server: up or down. */
  async links(): Promise<string[]> {
    return await Promise.all(
      this.observers.slice(1).map(async (replica) => {
        const info = await replica.info('replication');
        return /master_link_status:(\w+)/.exec(info)?.[1] ?? '';
      }),
    );
  }

  /** The roles that the servers report: master or slave. */
  async roles(): Promise<string[]> {
    return await Promise.all(
      this.observers.map(async (redis) => String(((await redis.call('ROLE')) as unknown[])[0])),
    );
  }

  /** Closes the connections; the servers end with their supervisor. */
  close(): void {
    for (const redis of this.observers) redis.disconnect();
  }
}
