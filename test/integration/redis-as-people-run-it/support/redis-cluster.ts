/** A real Redis Cluster: each node at its own address and on the same port, as in pods. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asPerServer, type PerServer, REDIS_ACL, type RedisTarget } from '@chaosdemo/redis-faults';
import { freePort, type RedisServer, type Supervisor, startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { callsOf } from '../../../kit/calls-of.ts';
import { connectorFrom } from '../../../kit/connector-from.ts';
import { userLine } from '../../../kit/nodes-on-redis.ts';
import { until } from '../../../kit/until.ts';
import { PODS } from './topology.ts';

/** As long as a node may be silent before others take it for failed; milliseconds. */
export const NODE_TIMEOUT_MS = 2000;
const SLOTS = 16_384;
const FIRST_ADDRESS = 101;

export class RedisCluster {
  readonly nodes: RedisServer[] = [];
  /** Connections with every right, one to each node, from the address of a pod of the limiter. */
  readonly observers: Redis[] = [];
  readonly masters: number;
  readonly #supervisor: Supervisor;
  readonly #port: number;
  readonly #busPort: number;

  private constructor(supervisor: Supervisor, port: number, busPort: number, masters: number) {
    this.#supervisor = supervisor;
    this.#port = port;
    this.#busPort = busPort;
    this.masters = masters;
  }

  /** The masters first. Resolves once all nodes agree, and the replicas are in sync. */
  static async start(supervisor: Supervisor, masters: number, replicas: number): Promise<RedisCluster> {
    const hosts = Array.from({ length: masters + replicas + 1 }, (_, i) => hostOf(i));
    const cluster = new RedisCluster(supervisor, await freePort(hosts), await freePort(hosts), masters);
    for (let i = 0; i < masters + replicas; i += 1) await cluster.addNode();
    for (let i = 0; i < masters; i += 1) {
      const [first, end] = [i, i + 1].map((part) => Math.ceil((part * SLOTS) / masters));
      await cluster.call(i, 'CLUSTER', 'ADDSLOTSRANGE', String(first), String((end ?? 0) - 1));
      await cluster.call(i, 'CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1));
    }
    for (let i = 1; i < masters + replicas; i += 1) await cluster.meet(i);
    for (let i = masters; i < masters + replicas; i += 1) {
      const id = String(await cluster.call(i % masters, 'CLUSTER', 'MYID'));
      await until(async () => await cluster.call(i, 'CLUSTER', 'REPLICATE', id).catch(() => undefined), {
        what: 'a replica to know its master',
      });
    }
    await cluster.untilAgreed();
    return cluster;
  }

  /** Starts one more node, and returns its number. It knows no other yet. */
  async addNode(): Promise<number> {
    const host = hostOf(this.nodes.length);
    const server = await startRedis({
      supervisor: this.#supervisor,
      host,
      port: this.#port,
      aclUsers: [
        userLine(
          'operator',
          `${REDIS_ACL} +cluster|nodes +client|kill +cluster|failover +unlink ~rl:demo-* +script|flush`,
        ),
        userLine('unready', REDIS_ACL),
      ],
      settings: [
        'cluster-enabled yes',
        'cluster-config-file nodes.conf',
        `cluster-port ${this.#busPort}`,
        `cluster-node-timeout ${NODE_TIMEOUT_MS}`,
        `cluster-announce-ip ${host}`,
        `bind-source-addr ${host}`,
        'repl-diskless-sync-delay 0',
      ],
    });
    const observer = new Redis({ host, port: server.port, Connector: connectorFrom(PODS[0]) });
    observer.on('error', () => undefined);
    this.observers.push(observer);
    return this.nodes.push(server) - 1;
  }

  /** Makes a node known to all others. */
  async meet(node: number): Promise<void> {
    await this.call(0, 'CLUSTER', 'MEET', hostOf(node), String(this.#port), String(this.#busPort));
  }

  /** The answer of a node to a command, with every right. */
  async call(node: number, command: string, ...args: string[]): Promise<unknown> {
    return await this.observers[node]?.call(command, ...args);
  }

  /** Waits until each node sees all masters with their slots, and each replica is in sync. */
  async untilAgreed(): Promise<void> {
    const isAtRest = async (redis: Redis): Promise<boolean> => {
      const [info, nodes] = await Promise.all([
        redis.cluster('INFO'),
        redis.call('CLUSTER', 'NODES').then(String),
      ]);
      const replication = await redis.info('replication');
      return (
        /cluster_state:ok/.test(info) &&
        new RegExp(`cluster_known_nodes:${this.nodes.length}\\b`).test(info) &&
        nodes.match(/ connected \d/g)?.length === this.masters &&
        nodes.match(/slave /g)?.length === this.nodes.length - this.masters &&
        !/handshake|fail/.test(nodes) &&
        !/role:slave[^]*master_link_status:down/.test(replication)
      );
    };
    await until(async () => (await Promise.all(this.observers.map(isAtRest))).every(Boolean), {
      what: 'the nodes to agree',
      deadlineMs: 60_000,
    });
  }

  /** The pods behind the Service, as discovery finds them. @param username of the operator */
  pods(username = 'operator'): PerServer<RedisTarget> {
    const login = { username, password: 'secret', tls: false };
    return asPerServer(
      this.nodes.map(({ host, port }, i) => ({
        podName: `redis-${i}`,
        podUid: `uid-${i}`,
        host,
        port,
        ...login,
      })),
    );
  }

  /** How often each master has carried out a command since it started. */
  async calls(command: string): Promise<number[]> {
    return await Promise.all(this.observers.slice(0, this.masters).map((redis) => callsOf(redis, command)));
  }

  /** A key in a slot of each master. */
  async keys(): Promise<string[]> {
    const ids = await Promise.all(
      Array.from({ length: this.masters }, async (_, i) => await this.call(i, 'CLUSTER', 'MYID')),
    );
    const nodes = String(await this.call(0, 'CLUSTER', 'NODES'));
    const keys: string[] = [];
    for (const id of ids) {
      const [, first = 0, last = 0] =
        new RegExp(`^${String(id)} .* (\\d+)-(\\d+)\\s*$`, 'm').exec(nodes) ?? [];
      for (let i = 0; ; i += 1) {
        const slot = Number(await this.call(0, 'CLUSTER', 'KEYSLOT', `k${i}`));
        if (slot < Number(first) || slot > Number(last)) continue;
        keys.push(`k${i}`);
        break;
      }
    }
    return keys;
  }

  /** Whether each master accepts a write within 300 ms. */
  async takesWrites(): Promise<boolean[]> {
    const keys = await this.keys();
    return await Promise.all(
      keys.map(async (key, node) => {
        const write = this.call(node, 'SET', key, '1').then(() => true);
        write.catch(() => undefined);
        return await Promise.race([write, sleep(300, false)]);
      }),
    );
  }

  close(): void {
    for (const redis of this.observers) redis.disconnect();
  }
}

function hostOf(node: number): string {
  return `127.0.0.${FIRST_ADDRESS + node}`;
}
