/** Everything that a demo needs, and a real operator: what tests of whole demos and the benchmarks stand on. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeApi, KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { type ControlPlane, Kubectl, Supervisor, writeKubeconfig } from '@chaosdemo/testbed';
import type { Redis } from 'ioredis';
import { inject } from 'vitest';
import {
  NO_COOLDOWN,
  type OperatorProcess,
  type SpawnOptions,
  startOperator,
} from '../../src/local/operator.ts';
import type { RedisUsers } from '../../src/local/redis-users.ts';
import { callsOf } from './calls-of.ts';
import { Demos } from './demos.ts';
import { startEnvironment } from './environment.ts';
import { prepareOperator, startOperatorIn } from './operator.ts';
import { redisAs, startTarget, stopTarget, type Target, type TargetOptions } from './target.ts';

/** A target, and the API server that it is registered at. */
export interface Surroundings extends Target {
  /** Namespace of the operator. */
  readonly system: string;
  readonly controlPlane: Pick<
    ControlPlane,
    'caFile' | 'folder' | 'kubeconfig' | 'kubeconfigFor' | 'kubectl' | 'url'
  >;
  /** Starts further processes, and makes folders, that end with the world. */
  readonly supervisor: Supervisor;
}

export interface WorldOptions {
  /** Further namespaces, for targets that `addTarget` adds. No other file may use the same names. */
  readonly otherNamespaces?: readonly string[];
  /** Default: the sources. */
  readonly program?: SpawnOptions['program'];
}

const SHIPPED_SYSTEM = 'chaosdemo-system';

/** One demo at a time: a target has one Redis. */
export class World extends Demos {
  readonly environment: Surroundings;
  readonly operator: OperatorProcess;
  /** Ends everything but the operator. */
  readonly #end: () => Promise<void>;
  readonly #added: Target[] = [];

  private constructor(
    client: KubeApi,
    environment: Surroundings,
    operator: OperatorProcess,
    end: () => Promise<void>,
  ) {
    super(client, environment.namespace);
    this.environment = environment;
    this.operator = operator;
    this.#end = end;
  }

  /**
   * A world on the API server that the global setup has started, next to those of
   * other files: with its own namespaces, and an operator that watches no others.
   */
  static async start(
    mode: 'approximate' | 'strict',
    { otherNamespaces = [], program }: WorldOptions = {},
  ): Promise<World> {
    const { url, caFile, kubeconfig, binaries } = inject('controlPlane');
    const kubectl = new Kubectl(binaries.kubectl, kubeconfig);
    const namespace = `world-${randomBytes(4).toString('hex')}`;
    const system = `${namespace}-system`;
    const place = { system, namespaces: [namespace, ...otherNamespaces] };
    const supervisor = new Supervisor();
    try {
      const folder = supervisor.temporaryFolder('world');
      const kubeconfigFor: ControlPlane['kubeconfigFor'] = (name, token, of) =>
        writeKubeconfig(join(folder, `${name}.kubeconfig`), { url, caFile }, token, of);
      await prepareOperator(kubectl, place);
      const [target, operator] = await Promise.all([
        startTarget({ kubectl, supervisor, namespace, mode }),
        startOperatorIn(place, { kubectl, kubeconfigFor }, supervisor, [], program),
      ]);
      const controlPlane = { url, caFile, kubeconfig, kubectl, folder, kubeconfigFor };
      const end = async (): Promise<void> => {
        await stopTarget(target);
        await supervisor.close();
      };
      const client = adminOf(kubeconfig);
      return new World(client, { ...target, system, controlPlane, supervisor }, operator, end);
    } catch (error) {
      await supervisor.close();
      throw error;
    }
  }

  /** The environment of `npm run demo`, with its own control plane and names, and the operator in it. */
  static async startAlone(
    mode: 'approximate' | 'strict',
    options: { readonly apiServerFlags?: readonly string[] } = {},
  ): Promise<World> {
    const environment = await startEnvironment({ mode, onProgress: () => {}, ...options });
    try {
      const operator = await startOperator(environment, { args: [NO_COOLDOWN] });
      const client = adminOf(environment.controlPlane.kubeconfig);
      return new World(client, { ...environment, system: SHIPPED_SYSTEM }, operator, () =>
        environment.stop(),
      );
    } catch (error) {
      await environment.stop();
      throw error;
    }
  }

  /**
   * Starts another target, in a namespace that the operator follows (`otherNamespaces`); it ends with
   * the world. Returns the world seen from there, which need not be stopped.
   */
  async addTarget(
    namespace: string,
    mode: 'approximate' | 'strict',
    options: Pick<TargetOptions, 'hosted' | 'own'> = {},
  ): Promise<World> {
    const { controlPlane, supervisor, system } = this.environment;
    const { kubectl } = controlPlane;
    const target = await startTarget({ kubectl, supervisor, namespace, mode, ...options });
    this.#added.push(target);
    return new World(
      this.client,
      { ...target, system, controlPlane, supervisor },
      this.operator,
      async () => {},
    );
  }

  /** The operator first: it releases what is paused. */
  async stop(): Promise<void> {
    await this.client.close();
    await this.operator.stop();
    await Promise.all(this.#added.map(stopTarget));
    await this.#end();
  }

  /** Kills the operator without a word, and waits until it is gone. */
  async killOperator(): Promise<void> {
    this.operator.process.kill('SIGKILL');
    await this.operator.process.exited;
  }

  /** kubectl in the namespace, as the admin. */
  async kubectl(...args: string[]): Promise<string> {
    return await this.environment.controlPlane.kubectl.run(['-n', this.namespace, ...args]);
  }

  /** A connection to Redis as one of its users; the caller disconnects it. */
  async redisAs(role: keyof RedisUsers): Promise<Redis> {
    return await redisAs(this.environment, role);
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
    return this.look((redis) => callsOf(redis, 'client|pause'));
  }

  /**
   * Queries Redis as the user of the limiters, over a short connection. Only
   * between runs: during an admission it would be a foreign client.
   */
  private async look<T>(query: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = await this.redisAs('limiter');
    try {
      return await query(redis);
    } finally {
      redis.disconnect();
    }
  }
}

function adminOf(kubeconfig: string): KubeClient {
  return new KubeClient(loadKubeConfig(kubeconfig), { userAgent: 'test', timeoutMs: 60_000 });
}
