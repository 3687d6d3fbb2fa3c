/** A Redis under Sentinels in a namespace, and a limiter on it. */
import { REDIS_ACL } from '@chaosdemo/redis-faults';
import { type Kubectl, registerPods, type Supervisor } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { connectorFrom } from '../../../kit/connector-from.ts';
import { Demos } from '../../../kit/demos.ts';
import { userLine } from '../../../kit/nodes-on-redis.ts';
import { servedPod } from '../../../kit/planted-pod.ts';
import { authSecret, RedisUnderSentinels, SENTINEL_REF } from '../../../kit/redis-under-sentinels.ts';
import { WATCHED_AS } from '../../../kit/sentinels.ts';
import type { World } from '../../../kit/world.ts';

const LIMIT = 10;

export class FailingOver extends Demos {
  readonly #kubectl: Kubectl;
  readonly #watched: RedisUnderSentinels;

  private constructor(world: World, namespace: string, watched: RedisUnderSentinels) {
    super(world.client, namespace);
    this.#kubectl = world.environment.controlPlane.kubectl;
    this.#watched = watched;
  }

  /** @param namespace is there already, and the operator follows it */
  static async start(world: World, namespace: string, supervisor: Supervisor): Promise<FailingOver> {
    const aclUsers = [userLine('operator', `${REDIS_ACL} +client|kill`)];
    const watched = await RedisUnderSentinels.start(supervisor, { aclUsers });
    const { kubectl } = world.environment.controlPlane;
    await watched.register(kubectl, namespace);
    await kubectl.apply([
      authSecret(namespace, 'redis-auth', { username: 'operator', service: 'redis' }),
      authSecret(namespace, 'reading-auth', { username: 'operator', service: SENTINEL_REF.serviceName }),
    ]);
    return new FailingOver(world, namespace, watched);
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
    const [{ host, port }] = this.#watched.redis.servers;
    if (connects === 'ToAddress') {
      return new Redis({ ...options, host, port, Connector: connectorFrom(address) });
    }
    const sentinels = this.#watched.sentinels.map(({ target }) => ({ host: target.host, port: target.port }));
    return new Redis({ ...options, sentinels, name: WATCHED_AS, sentinelRetryStrategy: () => 50 });
  }

  /** A spec with one failover, with these changes of its Redis, its Sentinels, its StoreOutage or its scenario. */
  spec(
    { redis = {}, sentinel = {}, ...storeOutage }: Record<string, object> = {},
    scenario: object = {},
  ): object {
    return {
      rateLimiter: {
        selector: { matchLabels: { app: 'api' } },
        http: { headers: [{ name: 'x-caller', value: '$(key)' }] },
        limit: { requests: LIMIT, window: '120s' },
        redis: {
          serviceName: 'redis',
          authSecretName: 'redis-auth',
          failover: 'Allow',
          // A client of Sentinels connects from the address of this machine.
          otherClients: 'Allow',
          sentinel: { ...SENTINEL_REF, ...sentinel },
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
    return await this.#watched.failovers();
  }

  /** The roles that the servers report. */
  async roles(): Promise<string[]> {
    return await this.#watched.redis.roles();
  }

  close(): void {
    this.#watched.close();
  }
}
