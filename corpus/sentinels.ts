/** A Redis with a replica under three Sentinels, and where its Service leads: to the primary that they report. */
import type { RedisTarget, SentinelsTarget } from '@chaosdemo/redis-faults';
import { type RedisServer, type Supervisor, startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import type { Address } from '../test/kit/relay.ts';
import { type StartedSentinel, startSentinels, WATCHED_AS } from '../test/kit/sentinels.ts';
import { until } from '../test/kit/until.ts';

export class WatchedRedis {
  /** As the operator logs in to fail over. */
  readonly sentinels: SentinelsTarget;
  /** The pod that the Service of Redis leads to. */
  primary: RedisTarget;
  /** Called with the new primary. */
  onSwitch: (primary: Address) => void = () => undefined;
  readonly #started: readonly StartedSentinel[];
  readonly #events: Redis;

  private constructor(primary: RedisTarget, started: readonly StartedSentinel[], events: Redis) {
    this.primary = primary;
    this.#started = started;
    this.#events = events;
    const login = { username: 'failing-over', password: 'secret' };
    const servers = started.map(({ target }) => ({ ...target, ...login }));
    this.sentinels = { masterName: WATCHED_AS, servers };
  }

  /** Resolves once the replica is in sync, and all Sentinels know each other and the replica. */
  static async start(supervisor: Supervisor, master: RedisServer): Promise<WatchedRedis> {
    const { host, port } = master;
    const settings = ['repl-diskless-sync-delay 0', `replicaof ${host} ${port}`];
    const replica = await startRedis({ supervisor, settings });
    await until(async () => /master_link_status:up/.test(await infoOf(replica)), {
      what: 'the replica to be in sync',
      deadlineMs: 30_000,
    });
    const runId = /run_id:(\w+)/.exec(await infoOf(master))?.[1] ?? '';
    const started = await startSentinels(supervisor, master, { downAfterMs: 5000, replicas: 1 });
    const [first] = started as [StartedSentinel];
    const events = new Redis({ host: first.target.host, port: first.target.port });
    events.on('error', () => undefined);
    const tls = false;
    const watched = new WatchedRedis({ podName: 'redis-0', host, port, tls, runId }, started, events);
    events.on('message', () => {
      watched.primary = { podName: 'redis-1', host: replica.host, port: replica.port, tls };
      watched.onSwitch(replica);
    });
    await events.subscribe('+switch-master');
    return watched;
  }

  stop(): void {
    this.#events.disconnect();
    for (const { observer } of this.#started) observer.disconnect();
  }
}

async function infoOf({ host, port }: Address): Promise<string> {
  const redis = new Redis({ host, port });
  return await redis.info().finally(() => redis.disconnect());
}
