/** A primary and a replica under three Sentinels, as pods of a namespace: a label of the primary follows a failover. */
import {
  type Kubectl,
  type RedisServer,
  registerPods,
  type Supervisor,
  serviceObject,
} from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import type { RedisUser } from '../../src/local/redis-users.ts';
import { redisPod } from '../../src/local/target.ts';
import { PASSWORD } from './nodes-on-redis.ts';
import { ReplicatedRedis } from './replicated-redis.ts';
import { type StartedSentinel, startSentinels, stateOf, WATCHED_AS } from './sentinels.ts';
import { until } from './until.ts';

const SENTINEL_LABELS = { app: 'sentinel' };
/** `redis.sentinel` of one that is registered, by the user that may begin a failover. */
export const SENTINEL_REF = {
  serviceName: 'sentinel',
  masterName: WATCHED_AS,
  authSecretName: 'sentinel-auth',
} as const;

interface UnderSentinelsOptions {
  /** Of both servers. */
  readonly aclUsers: readonly string[];
  /** As of {@link ReplicatedRedis}; also the user of the Sentinels. */
  readonly admin?: RedisUser;
}

/** The ports that the operator finds, in the order of the servers and of the Sentinels. */
export interface FoundPorts {
  readonly redis: readonly number[];
  readonly sentinels: readonly number[];
}

export class RedisUnderSentinels {
  readonly redis: ReplicatedRedis;
  readonly sentinels: readonly StartedSentinel[];
  readonly #events: Redis;
  #closed = false;

  private constructor(redis: ReplicatedRedis, sentinels: readonly StartedSentinel[]) {
    this.redis = redis;
    this.sentinels = sentinels;
    const [{ target }] = sentinels as [StartedSentinel];
    this.#events = new Redis({ host: target.host, port: target.port });
    this.#events.on('error', () => undefined);
  }

  static async start(
    supervisor: Supervisor,
    { aclUsers, admin }: UnderSentinelsOptions,
  ): Promise<RedisUnderSentinels> {
    const redis = await ReplicatedRedis.start(supervisor, ['127.0.0.1'], {
      aclUsers,
      ...(admin && { admin }),
    });
    const [{ host, port }] = redis.servers;
    const watched = { host, port, ...(admin && { user: admin }) };
    const sentinels = await startSentinels(supervisor, watched, { downAfterMs: 5000, replicas: 1 });
    return new RedisUnderSentinels(redis, sentinels);
  }

  /** Registers pods, and the Services `redis` and `sentinel` with the Secret for the latter, and keeps the label right. */
  async register(kubectl: Kubectl, namespace: string, ports: FoundPorts = this.#ownPorts()): Promise<void> {
    const redisPods = this.redis.servers.map((server, i) => ({
      ...redisPod(namespace, server),
      name: `redis-${i}`,
      labels: { app: 'redis', role: i === 0 ? 'primary' : 'replica' },
      port: { name: 'redis', number: ports.redis[i] ?? 0 },
    }));
    const sentinelPods = this.sentinels.map(({ pid, target: { host, podName } }, i) => ({
      namespace,
      name: podName,
      labels: SENTINEL_LABELS,
      container: 'sentinel',
      image: 'sentinel:1',
      imageId: 'sentinel@sha256:1',
      port: { name: 'sentinel', number: ports.sentinels[i] ?? 0 },
      ip: host,
      pid,
    }));
    await registerPods(kubectl, [...redisPods, ...sentinelPods]);
    const primary = { app: 'redis', role: 'primary' };
    const { authSecretName, serviceName: service } = SENTINEL_REF;
    await kubectl.apply([
      serviceObject({ namespace, name: 'redis', selector: primary, port: 6379, targetPort: 'redis' }),
      serviceObject({
        namespace,
        name: service,
        selector: SENTINEL_LABELS,
        port: 26_379,
        targetPort: 'sentinel',
      }),
      authSecret(namespace, authSecretName, { username: 'failing-over', service }),
    ]);
    // Whatever manages Redis labels the new primary once Sentinels have switched.
    this.#events.on('message', (_: string, text: string) => {
      const port = Number(text.split(' ')[4]);
      const primary = this.redis.servers.findIndex((server) => server.port === port);
      void this.#label(kubectl, namespace, primary);
    });
    await this.#events.subscribe('+switch-master');
  }

  /** How many failovers there were, by the first Sentinel. */
  async failovers(): Promise<number> {
    const [first] = this.sentinels as [StartedSentinel];
    return Number((await stateOf(first.observer)).get('config-epoch'));
  }

  close(): void {
    this.#closed = true;
    this.#events.disconnect();
    this.redis.close();
    for (const { observer } of this.sentinels) observer.disconnect();
  }

  #ownPorts(): FoundPorts {
    return {
      redis: this.redis.servers.map(({ port }: RedisServer) => port),
      sentinels: this.sentinels.map(({ target }) => target.port),
    };
  }

  /** The API server may be away. */
  async #label(kubectl: Kubectl, namespace: string, primary: number): Promise<void> {
    const label = async (i: number, role: string): Promise<true> => {
      await kubectl.run(['-n', namespace, 'label', 'pod', `redis-${i}`, `role=${role}`, '--overwrite']);
      return true;
    };
    for (const [i, role] of [
      [1 - primary, 'replica'],
      [primary, 'primary'],
    ] as const) {
      const what = `redis-${i} to be labelled as ${role}`;
      await until(() => this.#closed || label(i, role), { what, deadlineMs: 60_000 });
    }
  }
}

/** A Secret with a user of {@link userLine}. */
export function authSecret(
  namespace: string,
  name: string,
  { service, username }: { readonly username: string; readonly service: string },
): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'chaosdemo.dev/redis-auth',
    metadata: { namespace, name },
    stringData: { username, password: PASSWORD, service },
  };
}
