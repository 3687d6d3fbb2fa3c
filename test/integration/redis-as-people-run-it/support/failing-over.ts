/** A Redis under Sentinels as pods of a namespace, with a label of the primary that follows it, as operators of Redis do. */
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import type { Kubectl } from '../../../../src/local/kubectl.ts';
import { registerPods, serviceObject } from '../../../../src/local/pods.ts';
import type { RedisServer } from '../../../../src/local/redis-server.ts';
import type { Supervisor } from '../../../../src/local/supervisor.ts';
import { redisPod } from '../../../../src/local/target.ts';
import { Demos } from '../../../kit/demos.ts';
import { connectorFrom, servedPod } from '../../../kit/planted-pod.ts';
import type { World } from '../../../kit/world.ts';
import { type StartedSentinel, startSentinels, stateOf, WATCHED_AS } from './sentinels.ts';
import { Replicated } from './topology.ts';

const SENTINEL_LABELS = { app: 'sentinel' };
const LIMIT = 10;

export class FailingOver extends Demos {
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly StartedSentinel[];
  readonly #kubectl: Kubectl;
  readonly #supervised: { close(): void };
  readonly #events: Redis;

  private constructor(
    world: World,
    namespace: string,
    redis: Replicated,
    sentinels: readonly StartedSentinel[],
  ) {
    super(world.client, namespace);
    this.servers = [redis.master, ...redis.replicas];
    this.sentinels = sentinels;
    this.#kubectl = world.environment.controlPlane.kubectl;
    this.#supervised = redis;
    const [first] = sentinels as [StartedSentinel];
    this.#events = new Redis({ host: first.target.host, port: first.target.port });
    this.#events.on('error', () => undefined);
  }

  /** @param namespace is there already, and the operator follows it */
  static async start(world: World, namespace: string, supervisor: Supervisor): Promise<FailingOver> {
    const redis = await Replicated.start(supervisor, ['127.0.0.1']);
    const sentinels = await startSentinels(supervisor, redis.master, { downAfterMs: 5000, replicas: 1 });
    const started = new FailingOver(world, namespace, redis, sentinels);
    await started.#register();
    // Whatever manages Redis labels the new primary once Sentinels have switched.
    started.#events.on('message', (_: string, text: string) => {
      const port = Number(text.split(' ')[4]);
      void started.#label(started.servers.findIndex((server) => server.port === port));
    });
    await started.#events.subscribe('+switch-master');
    return started;
  }

  async #register(): Promise<void> {
    const { namespace } = this;
    const redisPods = await Promise.all(
      this.servers.map(async (server, i) => ({
        ...(await redisPod(namespace, server)),
        name: `redis-${i}`,
        labels: { app: 'redis', role: i === 0 ? 'primary' : 'replica' },
      })),
    );
    const sentinelPods = this.sentinels.map(({ pid, target: { host, podName, port } }) => ({
      namespace,
      name: podName,
      labels: SENTINEL_LABELS,
      container: 'sentinel',
      image: 'sentinel:1',
      imageId: 'sentinel@sha256:1',
      port: { name: 'sentinel', number: port },
      ip: host,
      pid,
    }));
    await registerPods(this.#kubectl, [...redisPods, ...sentinelPods]);
    const primary = { app: 'redis', role: 'primary' };
    const secret = (name: string, username: string, service: string): object => ({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'chaosdemo.dev/redis-auth',
      metadata: { namespace, name },
      stringData: { username, password: 'secret', service },
    });
    await this.#kubectl.apply([
      serviceObject({ namespace, name: 'redis', selector: primary, port: 6379, targetPort: 'redis' }),
      serviceObject({
        namespace,
        name: 'sentinel',
        selector: SENTINEL_LABELS,
        port: 26_379,
        targetPort: 'sentinel',
      }),
      secret('redis-auth', 'operator', 'redis'),
      secret('sentinel-auth', 'failing-over', 'sentinel'),
      secret('reading-auth', 'operator', 'sentinel'),
    ]);
  }

  async #label(primary: number): Promise<void> {
    const label = (i: number, role: string): Promise<string> =>
      this.#kubectl.run(['-n', this.namespace, 'label', 'pod', `redis-${i}`, `role=${role}`, '--overwrite']);
    await label(1 - primary, 'replica');
    await label(primary, 'primary');
  }

  /** Pods of a limiter that connects so, until the test ends: a fixed window of 2 min, and 503 without its Redis. */
  async startLimiter(connects: 'ToAddress' | 'BySentinel'): Promise<void> {
    const addresses = ['127.0.0.61', '127.0.0.62'];
    const pods = await Promise.all(
      addresses.map(async (address, i) => {
        const store = this.#connect(connects, address);
        store.on('error', () => undefined);
        onTestFinished(() => store.disconnect());
        return await servedPod(`api-${i}`, address, async (caller) => {
          const script = `local used = redis.call('INCR', KEYS[1]) if used == 1 then redis.call('EXPIRE', KEYS[1], 120) end return used`;
          return Number(await store.eval(script, 1, `rl:${caller}`)) <= LIMIT;
        });
      }),
    );
    const registered = await registerPods(
      this.#kubectl,
      pods.map(({ host, name, port }) => ({
        namespace: this.namespace,
        name,
        labels: { app: 'api' },
        container: 'api',
        image: 'api:1',
        imageId: 'api@sha256:1',
        port: { name: 'http', number: port },
        ip: host,
      })),
    );
    onTestFinished(async () => void (await Promise.all(registered.map((pod) => pod.delete()))));
  }

  #connect(connects: 'ToAddress' | 'BySentinel', address: string): Redis {
    const options = { commandTimeout: 400, maxRetriesPerRequest: 0, retryStrategy: () => 50 };
    const [{ host, port } = { host: '', port: 0 }] = this.servers;
    if (connects === 'ToAddress') {
      return new Redis({ ...options, host, port, Connector: connectorFrom(address) });
    }
    const sentinels = this.sentinels.map(({ target }) => ({ host: target.host, port: target.port }));
    return new Redis({ ...options, sentinels, name: WATCHED_AS, sentinelRetryStrategy: () => 50 });
  }

  /** A spec with one failover, with these changes of its Redis, its Sentinels, its StoreOutage or its scenario. */
  spec(
    { redis = {}, sentinel = {}, ...storeOutage }: Record<string, object> = {},
    scenario: object = {},
  ): object {
    const watched = { service: 'sentinel', masterName: WATCHED_AS, authSecretName: 'sentinel-auth' };
    return {
      rateLimiter: {
        selector: { matchLabels: { app: 'api' } },
        interface: 'HTTP',
        http: { headers: [{ name: 'x-caller', value: '$(key)' }] },
        limit: { requests: LIMIT, window: '120s' },
        redis: {
          service: 'redis',
          authSecretName: 'redis-auth',
          allowFailover: true,
          // A client that asks Sentinels connects from the address of this machine.
          allowOtherClients: true,
          sentinel: { ...watched, ...sentinel },
          ...redis,
        },
      },
      scenarios: this.scenarios(scenario, storeOutage),
    };
  }

  scenarios(change: object = {}, storeOutage: object = {}): object[] {
    const fault = { type: 'Failover', duration: '20s' };
    return [
      {
        name: 'failover',
        type: 'StoreOutage',
        countdown: '0s',
        storeOutage: { fault, requestsPerSecond: 10, settle: '2s', ...storeOutage },
        ...change,
      },
    ];
  }

  /** How many failovers there were, by the first Sentinel. */
  async failovers(): Promise<number> {
    const [first] = this.sentinels as [StartedSentinel];
    return Number((await stateOf(first.observer)).get('config-epoch'));
  }

  /** The roles of the servers, by themselves. */
  async roles(): Promise<string[]> {
    return await Promise.all(
      this.servers.map(async ({ host, port }) => {
        const redis = new Redis({ host, port });
        const [role] = (await redis.call('ROLE').finally(() => redis.disconnect())) as [string];
        return role;
      }),
    );
  }

  close(): void {
    this.#events.disconnect();
    this.#supervised.close();
    for (const { observer } of this.sentinels) observer.disconnect();
  }
}
