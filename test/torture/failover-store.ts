/** The Redis of a lane for failovers: two servers under Sentinels, a proxy before each of them, and what they show. */
import { freePort, type Kubectl, type RedisServer } from '@chaosdemo/testbed';
import type { RedisUser } from '../../src/local/redis-users.ts';
import { RedisUnderSentinels } from '../kit/redis-under-sentinels.ts';
import type { Address } from '../kit/relay.ts';
import { stateOf } from '../kit/sentinels.ts';
import { until } from '../kit/until.ts';
import type { LaneOptions } from './lane.ts';
import { FailoverEye } from './observer/failover-eye.ts';
import { RedisProxy } from './proxies/redis-proxy.ts';

/** Sentinels are left in peace for so long after a failover, or the next one is not accepted. */
const SETTLED_MS = 31_000;

export class FailoverStore {
  /** Before the servers, and then before the Sentinels. */
  readonly proxies: readonly RedisProxy[];
  readonly #watched: RedisUnderSentinels;
  readonly #eye: FailoverEye;

  private constructor(watched: RedisUnderSentinels, proxies: readonly RedisProxy[], eye: FailoverEye) {
    this.#watched = watched;
    this.proxies = proxies;
    this.#eye = eye;
  }

  static async start(
    { number: lane, passing, record, supervisor }: LaneOptions,
    { aclUsers, admin }: { readonly aclUsers: readonly string[]; readonly admin: RedisUser },
  ): Promise<FailoverStore> {
    const watched = await RedisUnderSentinels.start(supervisor, { aclUsers, admin });
    const before = async ({ host, port }: Address): Promise<RedisProxy> =>
      await RedisProxy.start(
        { lane, upstream: { host, port }, record, passing },
        await freePort([host]),
        host,
      );
    const servers = await Promise.all(watched.redis.servers.map(before));
    const sentinels = await Promise.all(watched.sentinels.map(({ target }) => before(target)));
    const logs = watched.sentinels.map(({ logFile }) => logFile);
    return new FailoverStore(watched, [...servers, ...sentinels], new FailoverEye(logs, lane, record));
  }

  /** Registers its pods and Services, which lead to the proxies. */
  async register(kubectl: Kubectl, namespace: string): Promise<void> {
    const ports = this.proxies.map(({ port }) => port);
    const servers = this.#watched.redis.servers.length;
    await this.#watched.register(kubectl, namespace, {
      redis: ports.slice(0, servers),
      sentinels: ports.slice(servers),
    });
  }

  /** The one that was the primary at first. */
  get redis(): RedisServer {
    return this.#watched.redis.servers[0];
  }

  /** For limiters. */
  get sentinels(): readonly Address[] {
    return this.#watched.sentinels.map(({ target: { host, port } }) => ({ host, port }));
  }

  /** Waits until the Sentinels would accept another failover. */
  async untilSettled(): Promise<void> {
    const isSettled = async (): Promise<boolean> => {
      const states = await Promise.all(this.#watched.sentinels.map(({ observer }) => stateOf(observer)));
      return states.every((state) => {
        const number = (name: string): number => Number(state.get(name));
        const early = number('config-epoch') > 0 && number('role-reported-time') < SETTLED_MS;
        return !early && state.get('flags') === 'master' && state.get('runid') !== '';
      });
    };
    await until(isSettled, { what: 'the Sentinels to settle', deadlineMs: 120_000, everyMs: 250 });
  }

  /** What is not as before a run: roles, and keys that never expire. @throws if a server does not answer */
  async left(): Promise<string[]> {
    const [primary, ...others] = (await this.#watched.redis.roles()).flatMap((role, i) =>
      role === 'master' ? [i] : [],
    );
    if (primary === undefined || others.length > 0) return [`${1 + others.length} primaries`];
    const states = await Promise.all(this.#watched.sentinels.map(({ observer }) => stateOf(observer)));
    const { port } = this.#watched.redis.servers[primary] as RedisServer;
    const strayed = states.filter((state) => state.get('port') !== String(port));
    const redis = this.#watched.redis.observers[primary];
    const written = await redis?.set('rl:torture:observer', '1', 'PX', 60_000);
    const keys = (await redis?.keys('*')) ?? [];
    const lives = await Promise.all(keys.map(async (key) => ((await redis?.pttl(key)) === -1 ? [key] : [])));
    return [
      ...strayed.map((state) => `a Sentinel with the primary ${state.get('port')} instead of ${port}`),
      ...(written === 'OK' ? [] : [`a primary that takes no write: ${written}`]),
      ...lives.flat().map((key) => `${key}, which never expires`),
    ];
  }

  async stop(): Promise<void> {
    await this.#eye.close();
    this.#watched.close();
  }
}
