/** Real Redis servers that belong together, a master and its replicas, and a limiter that counts in them. */
import {
  admitRedis,
  REDIS_ACL,
  RedisRefusal,
  type RedisTarget,
  type SentinelsTarget,
} from '@chaosdemo/redis-faults';
import type { RedisServer, Supervisor } from '@chaosdemo/testbed';
import type { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { callsOf } from '../../../kit/calls-of.ts';
import { DrivenLimiter, limiterSpec } from '../../../kit/driven-limiter.ts';
import { userLine } from '../../../kit/nodes-on-redis.ts';
import { plantedPod } from '../../../kit/planted-pod.ts';
import { ReplicatedRedis } from '../../../kit/replicated-redis.ts';

/** Addresses of the pods of the limiter. */
export const PODS = ['127.0.0.61', '127.0.0.62'] as const;
const LIMIT = 10;
let keys = 0;

export class Replicated {
  readonly master: RedisServer;
  readonly replicas: readonly RedisServer[];
  /** Connections with every right: the first one to the master, then one to each replica. */
  readonly observers: readonly Redis[];
  readonly #redis: ReplicatedRedis;

  private constructor(redis: ReplicatedRedis) {
    this.#redis = redis;
    [this.master, ...this.replicas] = redis.servers;
    this.observers = redis.observers;
  }

  /** @param from the address that each replica connects from */
  static async start(supervisor: Supervisor, from: readonly string[]): Promise<Replicated> {
    const aclUsers = [userLine('operator', `${REDIS_ACL} +client|kill`)];
    return new Replicated(await ReplicatedRedis.start(supervisor, from, { aclUsers }));
  }

  close(): void {
    this.#redis.close();
  }

  target({ host, port }: Pick<RedisTarget, 'host' | 'port'> = this.master): RedisTarget {
    return { podName: 'redis-0', host, port, tls: false, username: 'operator', password: 'secret' };
  }

  /**
   * The run_id, or the reason and the message of the refusal.
   * @param longestMs the longest fault
   */
  async admission(
    target = this.target(),
    longestMs = 0,
    sentinels?: SentinelsTarget,
    continues = false,
  ): Promise<string> {
    const found = { redis: [target] as const, addresses: PODS, sentinels };
    // The observers are at the address of the operator, as further connections of this process.
    const options = { allowOtherClients: false, longestMs, continues, connected: true };
    const outcome = await admitRedis(found, options, new AbortController().signal).then(
      ({ runId }) => runId,
      (error: unknown) => error,
    );
    if (outcome instanceof RedisRefusal) return `${outcome.reason}: ${outcome.message}`;
    if (typeof outcome === 'string') return outcome;
    throw outcome;
  }

  /** A driver of an outage with this fault, and a key for it. Its pods count with INCR, and answer 503 without. */
  async driven(
    type: 'Stall' | 'Disconnect',
    ms: number,
    sentinels?: SentinelsTarget,
  ): Promise<{ driver: DrivenLimiter; key: string }> {
    const reconnects = { enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => 20 };
    const pods = await Promise.all(
      PODS.map((address, i) => plantedPod(`api-${i}`, this.master, admits, { ...reconnects, address })),
    );
    const spec = limiterSpec(
      {
        http: { headers: [{ name: 'x-caller', value: '$(key)' }] },
        limit: { requests: LIMIT, window: '15s', algorithm: 'FixedWindow', windowStart: 'FirstRequest' },
      },
      [
        {
          name: 'outage',
          type: 'StoreOutage',
          storeOutage: {
            fault: { type, duration: `${ms}ms` },
            callerTimeout: '1s',
            requestsPerSecond: 10,
            settle: '2s',
          },
        },
      ],
    );
    const checkStore = async () => {
      const admission = await this.admission(this.target(), ms, sentinels);
      if (/^[0-9a-f]{40}$/.test(admission)) return { state: 'free' as const };
      throw new Error(admission);
    };
    const target = { pods, redis: this.target(), ...(sentinels && { sentinels }) };
    const driver = new DrivenLimiter({ ...target, spec, checkStore });
    onTestFinished(() => driver.close());
    return { driver, key: `demo-topology-${process.pid}-${(keys += 1)}` };
  }

  /** How often the master has carried CLIENT PAUSE out, by its own count. */
  async pauses(): Promise<number> {
    const [master] = this.observers as [Redis];
    return await callsOf(master, 'client|pause');
  }

  /** The state of each replica's link to the master: up or down. */
  async links(): Promise<string[]> {
    return await this.#redis.links();
  }

  /** What a failover or a resync would change, by the servers themselves. */
  async replication() {
    const [master] = this.observers as [Redis];
    const [info, clients, roles] = await Promise.all([
      master.info(),
      master.call('CLIENT', 'LIST', 'TYPE', 'REPLICA'),
      this.#redis.roles(),
    ]);
    const field = (name: string): string => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? '';
    return {
      roles,
      /** Ids of the connections of the replicas at the master. */
      connections: [...String(clients).matchAll(/^id=(\d+)/gm)].map(([, id]) => id).toSorted(),
      replicas: field('connected_slaves'),
      resyncs: [field('sync_full'), field('sync_partial_ok'), field('sync_partial_err')],
    };
  }
}

async function admits(caller: string, store: Redis): Promise<boolean> {
  const script = `local used = redis.call('INCR', KEYS[1]) redis.call('EXPIRE', KEYS[1], 15) return used`;
  return Number(await store.eval(script, 1, `rl:${caller}`)) <= LIMIT;
}
