/**
 * What a case is recorded on: a Redis, three nodes as separate processes, and a link on each path: from the observer
 * to each node, from each node to Redis, and from the observer to Redis.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisTarget } from '@chaosdemo/redis-faults';
import { freePort, type RedisServer, type Supervisor, startRedis } from '@chaosdemo/testbed';
import type { PodTarget } from '../src/subjects/targets/target.ts';
import { redisHostFor } from '../survey/runner/own-network.ts';
import { type RunningProxy, startFaultProxy } from '../test/kit/fault-proxy.ts';
import { hostLimiters, LIMITER_HOSTS } from '../test/kit/hosted-limiters.ts';
import type { Address } from '../test/kit/relay.ts';
import type { Variation } from './case.ts';
import { Gateway } from './gateway.ts';
import { Link } from './link.ts';
import { WatchedRedis } from './sentinels.ts';

/** A process that runs on one pod's behalf. */
export interface NodeProcess {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<unknown>;
}

/** Starts the nodes, each of which finds Redis at another address. */
export type StartNodes = (
  redis: readonly Address[],
) => Promise<readonly (Address & { readonly process: NodeProcess })[]>;

/** The bundled limiter. */
export function reference(supervisor: Supervisor, mode: 'approximate' | 'strict'): StartNodes {
  const start = async (host: string, index: number, redisPort: number) => {
    const port = await freePort([host]);
    const node = { id: `node-${index}`, host, port, mode, redisPort };
    return { host, port, process: await hostLimiters(supervisor, [node]) };
  };
  return async (redis) =>
    await Promise.all(LIMITER_HOSTS.map((host, index) => start(host, index, redis[index]?.port ?? 0)));
}

export interface BedNode {
  readonly name: string;
  /** The link from the observer to the node. */
  readonly front: Link;
  readonly gateway: Gateway | undefined;
  /** Undefined behind a fault proxy, and if the nodes find Redis by Sentinel. */
  readonly toRedis: Link | undefined;
  readonly process: NodeProcess;
  readonly target: PodTarget;
}

export class Bed {
  readonly redis: RedisServer;
  /** If Sentinels watch Redis. */
  readonly watched: WatchedRedis | undefined;
  /** Between the nodes and Redis, without links. */
  readonly proxy: RunningProxy | undefined;
  readonly redisTarget: RedisTarget;
  /** The link from the observer to Redis. */
  readonly redisFront: Link;
  readonly nodes: readonly BedNode[];

  private constructor(
    redis: RedisServer,
    redisFront: Link,
    redisPort: number,
    nodes: readonly BedNode[],
    proxy: RunningProxy | undefined,
    watched: WatchedRedis | undefined,
  ) {
    this.redis = redis;
    this.watched = watched;
    this.proxy = proxy;
    this.redisFront = redisFront;
    this.nodes = nodes;
    this.redisTarget = { podName: 'redis-0', host: '127.0.0.1', port: redisPort, tls: false };
  }

  /**
   * `gateways`: whether one stands before each node. `proxied`: whether the nodes reach Redis by a fault proxy, each
   * from its own address, which takes a separate network. `watched`: whether Sentinels watch Redis, and how the nodes
   * find its primary; default: they stay with the first one.
   */
  static async start(
    supervisor: Supervisor,
    startNodes: StartNodes,
    {
      follows,
      gateways,
      proxied,
      watched: isWatched,
    }: Pick<Variation, 'follows'> & {
      readonly gateways: boolean;
      readonly proxied: boolean;
      readonly watched: boolean;
    },
  ): Promise<Bed> {
    const redis = await startRedis({ supervisor });
    const upstream = { host: redis.host, port: redis.port };
    const front = await linkTo(upstream, redis.host);
    const watched = isWatched ? await WatchedRedis.start(supervisor, redis) : undefined;
    const [sentinel] = watched?.sentinels.servers ?? [];
    const proxy = proxied ? await startFaultProxy(redis, '0.0.0.0') : undefined;
    const ways = await Promise.all(
      LIMITER_HOSTS.map(async (from): Promise<Address & { readonly link?: Link }> => {
        if (proxy) return { host: redisHostFor(from), port: proxy.port };
        if (sentinel && follows === 'BySentinel') return sentinel;
        return { host: redis.host, ...(await linkTo(upstream, redis.host, from)) };
      }),
    );
    if (watched && follows === 'ByService') {
      watched.onSwitch = (primary) => {
        for (const { link } of ways) link?.redirect(primary);
      };
    }
    const started = await startNodes(ways);
    const nodes = await Promise.all(
      started.map(async ({ host, port, process }, index): Promise<BedNode> => {
        const guard = gateways ? await gatewayTo({ host, port }) : undefined;
        const door = await linkTo({ host, port: guard?.port ?? port }, host);
        const name = `node-${index}`;
        return {
          name,
          front: door.link,
          gateway: guard?.gateway,
          toRedis: ways[index]?.link,
          process,
          target: { name, host, port: door.port },
        };
      }),
    );
    return new Bed(redis, front.link, front.port, nodes, proxy, watched);
  }

  /** Every way to Redis. */
  get redisLinks(): readonly Link[] {
    return [this.redisFront, ...this.nodes.flatMap(({ toRedis }) => toRedis ?? [])];
  }

  node(index: number): BedNode {
    const node = this.nodes[index];
    if (!node) throw new RangeError(`there is no node ${index}`);
    return node;
  }

  /** SIGKILL, for good. */
  async killNode(index: number): Promise<void> {
    const { process } = this.node(index);
    process.kill('SIGKILL');
    await process.exited;
  }

  /** Lets a node have the processor for `share` of the time only, as a quota of its container would, until `signal` aborts. */
  async starve(index: number, share: number, signal: AbortSignal): Promise<void> {
    const { process } = this.node(index);
    const periodMs = 200;
    try {
      while (!signal.aborted) {
        process.kill('SIGSTOP');
        await sleep(periodMs * (1 - share));
        process.kill('SIGCONT');
        await sleep(periodMs * share);
      }
    } finally {
      process.kill('SIGCONT');
    }
  }

  /** SIGSTOP, and SIGCONT after `ms`. */
  async freezeRedis(ms: number): Promise<void> {
    const { pid } = this.redis;
    process.kill(pid, 'SIGSTOP');
    try {
      await sleep(ms);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }

  /** SIGKILL, and an empty Redis at the same address after `ms`. */
  async restartRedis(ms: number): Promise<void> {
    await this.redis.kill9();
    await sleep(ms);
    await this.redis.restart();
  }

  async stop(): Promise<void> {
    for (const { process } of this.nodes) process.kill('SIGCONT');
    await Promise.all(
      [...this.redisLinks, ...this.nodes.map(({ front }) => front)].map((link) => link.stop()),
    );
    await Promise.all(this.nodes.map(async ({ gateway }) => await gateway?.stop()));
    for (const { process } of this.nodes) process.kill('SIGKILL');
    await this.proxy?.kill();
    this.watched?.stop();
    await this.redis.stop();
  }
}

async function linkTo(to: Address, host: string, from?: string): Promise<{ link: Link; port: number }> {
  const port = await freePort([host]);
  return { link: await Link.start(to, { host, port }, from), port };
}

async function gatewayTo(to: Address): Promise<{ gateway: Gateway; port: number }> {
  const port = await freePort([to.host]);
  return { gateway: await Gateway.start(to, { host: to.host, port }), port };
}
