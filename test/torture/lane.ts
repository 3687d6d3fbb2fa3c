/** One target of the torture: a Redis, or two under Sentinels, three nodes as separate processes, and a proxy before each of them. */
import {
  findRedis,
  freePort,
  type Kubectl,
  type OwnedProcess,
  type RedisServer,
  type Supervisor,
  startRedis,
} from '@chaosdemo/testbed';
import { aclLines, makeRedisUsers, type RedisUsers } from '../../src/local/redis-users.ts';
import { bundledTarget, registerAt } from '../../src/local/target.ts';
import { type RunningProxy, registerFaultProxy, startFaultProxy } from '../kit/fault-proxy.ts';
import {
  asLimiter,
  type HostedNode,
  hostLimiters,
  LIMITER_HOSTS,
  threeNodes,
} from '../kit/hosted-limiters.ts';
import { until } from '../kit/until.ts';
import { FailoverStore } from './failover-store.ts';
import { PortEye } from './observer/port-eye.ts';
import { RedisEye } from './observer/redis-eye.ts';
import type { LanePlan } from './plan.ts';
import { NodeProxy } from './proxies/node-proxy.ts';
import { RedisProxy } from './proxies/redis-proxy.ts';
import type { Passing } from './proxies/weather.ts';
import { now, type TortureRecord } from './record.ts';
import { BURST_SCENARIO } from './settings.ts';

export interface LaneOptions {
  readonly number: number;
  /** Is there already, and enabled. */
  readonly namespace: string;
  readonly mode: LanePlan['mode'];
  readonly kubectl: Kubectl;
  readonly supervisor: Supervisor;
  readonly record: () => TortureRecord;
  readonly passing: Passing;
}

export class Lane {
  readonly namespace: string;
  readonly mode: LanePlan['mode'];
  readonly users: RedisUsers;
  /** All that operators reach Redis by. */
  readonly redisProxies: readonly RedisProxy[];
  readonly nodeProxies: readonly NodeProxy[];
  readonly #options: LaneOptions;
  readonly #redis: RedisServer;
  readonly #nodes: readonly HostedNode[];
  readonly #processes: OwnedProcess[];
  /** Before Redis, for the nodes. */
  readonly #faultProxy: RunningProxy | undefined;
  readonly #failover: FailoverStore | undefined;
  readonly #eyes: readonly { close(): Promise<void> }[];
  /** Processes that are being killed, or are killed: their end is no surprise. */
  readonly #stopped = new Set<OwnedProcess>();

  private constructor(
    options: LaneOptions,
    parts: {
      readonly redis: RedisServer;
      readonly users: RedisUsers;
      readonly nodes: readonly HostedNode[];
      readonly processes: OwnedProcess[];
      readonly redisProxies: readonly RedisProxy[];
      readonly nodeProxies: readonly NodeProxy[];
      readonly faultProxy: RunningProxy | undefined;
      readonly failover: FailoverStore | undefined;
    },
  ) {
    this.#options = options;
    this.namespace = options.namespace;
    this.mode = options.mode;
    this.users = parts.users;
    this.redisProxies = parts.redisProxies;
    this.nodeProxies = parts.nodeProxies;
    this.#redis = parts.redis;
    this.#nodes = parts.nodes;
    this.#processes = parts.processes;
    for (const process of this.#processes) this.#expectToStay(process);
    const { host, port } = this.#redis;
    this.#faultProxy = parts.faultProxy;
    this.#failover = parts.failover;
    const { mode, number, record } = options;
    // A Disconnect ends connections from the addresses of pods.
    const from = isReference(mode) ? { localAddress: LIMITER_HOSTS[0] } : {};
    this.#eyes = [
      // Sentinels end connections, and one of two servers takes no writes.
      ...(this.#failover
        ? []
        : [new RedisEye({ host, port, user: this.users.admin, ...from }, number, record)]),
      ...(this.#faultProxy ? [new PortEye(this.#faultProxy, number, record)] : []),
    ];
  }

  /** Starts it and registers its pods, where the operator finds the proxies. */
  static async start(options: LaneOptions): Promise<Lane> {
    const { kubectl, mode, namespace, number: lane, passing, record, supervisor } = options;
    const users = makeRedisUsers();
    await findRedis();
    const isOperator = (line: string): boolean => line.startsWith(`user ${users.operator.username} `);
    // A DataLoss removes counts.
    const aclUsers = aclLines(users).map((line) =>
      isOperator(line) ? `${line} +unlink ~rl:http:demo-*` : line,
    );
    const failover =
      mode === 'failover' ? await FailoverStore.start(options, { aclUsers, admin: users.admin }) : undefined;
    const redis = failover?.redis ?? (await startRedis({ supervisor, aclUsers }));
    const faultProxy = mode === 'proxied' ? await startFaultProxy(redis) : undefined;
    const nodes = await threeNodes('ratelimiter', {
      mode: isReference(mode) ? mode : 'http',
      redisPort: faultProxy?.port ?? redis.port,
      ...(failover && { sentinels: failover.sentinels }),
    });
    const processes = await Promise.all(nodes.map((node) => hostLimiters(supervisor, [node], users.limiter)));
    const { host, port } = redis;
    const redisProxies = failover?.proxies ?? [
      await RedisProxy.start({ lane, upstream: { host, port }, record, passing }, await freePort()),
    ];
    const isBurst = (key: string): boolean => key.includes(`-${BURST_SCENARIO}`);
    const nodePort = await freePort(LIMITER_HOSTS);
    const nodeProxies = await Promise.all(
      nodes.map((upstream, node) =>
        NodeProxy.start({ lane, node, upstream, record, passing, isBurst }, nodePort),
      ),
    );
    await registerAt(
      kubectl,
      bundledTarget({
        namespace,
        limiters: nodes.map((node, i) => ({
          ...asLimiter(node, processes[i] as OwnedProcess),
          port: nodePort,
          url: `http://${node.host}:${nodePort}`,
        })),
        redis: { ...redis, pid: redis.pid, port: redisProxies[0]?.port ?? port },
        secret: { ...users.operator },
      }),
    );
    if (faultProxy) await registerFaultProxy(kubectl, namespace, faultProxy);
    await failover?.register(kubectl, namespace);
    return new Lane(options, {
      redis,
      users,
      nodes,
      processes,
      redisProxies,
      nodeProxies,
      faultProxy,
      failover,
    });
  }

  /** SIGSTOP, and SIGCONT after `ms`. */
  async freezeNode(node: number, ms: number): Promise<void> {
    await freeze(this.#node(node), ms);
  }

  /** SIGKILL, and another process on the same address after `ms`. */
  async killNode(node: number, ms: number): Promise<void> {
    const process = this.#node(node);
    this.#stopped.add(process);
    process.kill('SIGKILL');
    await process.exited;
    await pause(ms);
    const spec = this.#nodes[node] as HostedNode;
    const next = await hostLimiters(this.#options.supervisor, [spec], this.users.limiter);
    this.#processes[node] = next;
    this.#expectToStay(next);
  }

  async freezeRedis(ms: number): Promise<void> {
    const { pid } = this.#redis;
    process.kill(pid, 'SIGSTOP');
    await pause(ms);
    process.kill(pid, 'SIGCONT');
  }

  /** SIGKILL, and an empty Redis on the same port after `ms`. */
  async killRedis(ms: number): Promise<void> {
    await this.#redis.kill9();
    await pause(ms);
    await this.#redis.restart();
  }

  /** SIGKILL, and another process on the same ports after `ms`. */
  async killFaultProxy(ms: number): Promise<void> {
    await this.#faultProxy?.kill();
    await pause(ms);
    await this.#faultProxy?.start();
  }

  /** Waits until a failover would be accepted, which is not soon after another. */
  async untilSettled(): Promise<void> {
    await this.#failover?.untilSettled();
  }

  /** Waits until Redis takes writes and every node reaches it. */
  async untilWell(): Promise<void> {
    const proxy = this.#faultProxy;
    if (proxy) {
      await until(async () => (await proxy.get('/fault'))['fault'] === null, {
        what: `the fault proxy of ${this.namespace} to have no fault`,
        deadlineMs: 30_000,
      });
    }
    await Promise.all(
      this.#nodes.map(({ host, id, port }) =>
        until(async () => (await fetch(`http://${host}:${port}/health`)).ok, {
          what: `${id} of ${this.namespace} to be well`,
          deadlineMs: 30_000,
        }),
      ),
    );
  }

  /** What is left of demos: wrong roles. @throws if one cannot be queried */
  async left(): Promise<string[]> {
    return (await this.#failover?.left()) ?? [];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#eyes.map((eye) => eye.close()));
    for (const process of this.#processes) this.#stopped.add(process);
    await Promise.all([...this.redisProxies, ...this.nodeProxies].map((proxy) => proxy.stop()));
    await this.#failover?.stop();
    await Promise.all(this.#processes.map((process) => process.stop(3000)));
    await this.#faultProxy?.kill();
    await this.#redis.stop();
  }

  #node(node: number): OwnedProcess {
    const process = this.#processes[node];
    if (!process) throw new RangeError(`there is no node ${node}`);
    return process;
  }

  #expectToStay(process: OwnedProcess): void {
    void process.exited.then(() => {
      if (this.#stopped.has(process)) return;
      const how = process.exitError().message;
      this.#options.record().note({ kind: 'lost', at: now(), name: `${this.namespace} node`, how });
    });
  }
}

function isReference(mode: LanePlan['mode']): mode is 'approximate' | 'strict' {
  return mode === 'approximate' || mode === 'strict';
}

/** SIGSTOP, and SIGCONT after `ms`; one that ends before is not woken. */
export async function freeze(process: OwnedProcess, ms: number): Promise<void> {
  process.kill('SIGSTOP');
  await pause(ms);
  process.kill('SIGCONT');
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
