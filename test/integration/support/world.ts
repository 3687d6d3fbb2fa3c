/** A whole environment with the operator, and what tests of whole demos do with it. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { parse } from 'yaml';
import type { ChaosDemo, ChaosDemoStatus } from '../../../src/api/index.ts';
import { type Environment, startEnvironment } from '../../../src/local/environment.ts';
import { type OperatorProcess, startOperator } from '../../../src/local/operator.ts';
import { until } from './until.ts';

const RUN_MS = 600_000;
const samples = new URL('../../../manifests/samples/', import.meta.url);

/** Everything that a demo needs, and the operator; one demo at a time. */
export class World {
  readonly environment: Environment;
  readonly operator: OperatorProcess;
  readonly redis: Redis;

  constructor(environment: Environment, operator: OperatorProcess) {
    this.environment = environment;
    this.operator = operator;
    const { host, port } = environment.redis;
    // Looks from outside, as the user of the limiters; connects only between runs, or it would be a stranger.
    const { username, password } = environment.redisUsers.limiter;
    this.redis = new Redis({ host, port, username, password, lazyConnect: true });
  }

  static async start(
    mode: 'approximate' | 'strict',
    options: { readonly auditLog?: string } = {},
  ): Promise<World> {
    const environment = await startEnvironment({ mode, onProgress: () => {}, ...options });
    return new World(environment, await startOperator(environment));
  }

  /** The same world, seen from another of its namespaces. */
  in(namespace: string): World {
    return new World({ ...this.environment, namespace }, this.operator);
  }

  /** kubectl in the namespace, as the admin. */
  async kubectl(...args: string[]): Promise<string> {
    const { controlPlane, namespace } = this.environment;
    return await controlPlane.kubectl.run(['-n', namespace, ...args]);
  }

  async stop(): Promise<void> {
    this.redis.disconnect();
    await this.operator.stop();
    await this.environment.stop();
  }

  async apply(file: string, name: string): Promise<void> {
    const demo = parse(await readFile(fileURLToPath(new URL(file, samples)), 'utf8')) as ChaosDemo;
    await this.environment.controlPlane.kubectl.apply([{ ...demo, metadata: { ...demo.metadata, name } }]);
  }

  /** A minimal demo with this in its spec. */
  async applySpec(
    name: string,
    spec: object,
    annotations: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const demo = parse(await readFile(fileURLToPath(new URL('minimal.yaml', samples)), 'utf8')) as ChaosDemo;
    const metadata = { ...demo.metadata, namespace: this.environment.namespace, name, annotations };
    const pace = { dwell: '0s' };
    await this.environment.controlPlane.kubectl.apply([
      { ...demo, metadata, spec: { ...demo.spec, pace, ...spec } },
    ]);
  }

  async object(name: string): Promise<ChaosDemo> {
    const { controlPlane, namespace } = this.environment;
    return await controlPlane.kubectl.json<ChaosDemo>(['-n', namespace, 'get', 'chaosdemo', name]);
  }

  async status(name: string): Promise<ChaosDemoStatus> {
    return (await this.object(name)).status ?? {};
  }

  async untilStatus(name: string, what: string, holds: (status: ChaosDemoStatus) => boolean) {
    return await until(
      async () => {
        const status = await this.status(name);
        return holds(status) ? status : undefined;
      },
      { deadlineMs: RUN_MS, what },
    );
  }

  ended(name: string): Promise<ChaosDemoStatus> {
    return this.untilStatus(name, `the verdict of ${name}`, ({ run }) => run?.completedAt !== undefined);
  }

  /** Waits until the namespace holds nothing of this kind. */
  async untilNo(resource: string, what: string): Promise<void> {
    const { controlPlane, namespace } = this.environment;
    await until(
      async () =>
        (await controlPlane.kubectl.json<{ items: unknown[] }>(['-n', namespace, 'get', resource])).items
          .length === 0,
      { what },
    );
  }

  /** Limits of demos that the limiters still go by. */
  limitsOfDemos(): Promise<string[]> {
    return this.look(async (redis) => {
      const [, keys] = await redis.scan('0', 'MATCH', 'rl:limit:demo-*', 'COUNT', 10_000);
      const defined = await Promise.all(keys.map(async (key) => await redis.hexists(key, 'limit')));
      return keys.filter((_, i) => defined[i] === 1);
    });
  }

  /** Keys that demos have left in Redis. */
  keysOfDemos(): Promise<string[]> {
    return this.look(async (redis) => (await redis.scan('0', 'MATCH', '*demo-*', 'COUNT', 10_000))[1]);
  }

  /** Whether Redis takes a write at once. */
  takesWrites(): Promise<boolean> {
    return this.look(async (redis) => {
      const write = redis.hset('rl:test:probe', 'x', '1').then(() => redis.del('rl:test:probe'));
      write.catch(() => undefined);
      return await Promise.race([write.then(() => true), sleep(500, false)]);
    });
  }

  /** How often Redis was paused since it started, by its own statistics. */
  pauses(): Promise<number> {
    return this.look(async (redis) => {
      const info = await redis.info('commandstats');
      return Number(/cmdstat_client\|pause:calls=(\d+)/.exec(info)?.[1] ?? 0);
    });
  }

  /** Asks Redis over a connection of a moment, between runs: in the midst of an admission it would be a stranger. */
  private async look<T>(ask: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = this.redis.duplicate();
    await redis.connect();
    try {
      return await ask(redis);
    } finally {
      redis.disconnect();
    }
  }
}
