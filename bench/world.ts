/** The environment of the demo with the operator of the image in it, and what benchmarks do with ChaosDemos there. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ANNOTATIONS,
  API_VERSION,
  type ChaosDemo,
  type ChaosDemoStatus,
  GROUP,
  KIND,
  PLURAL,
  VERSION,
} from '../src/api/index.ts';
import { applyStatus } from '../src/kube/apply.ts';
import { KubeClient } from '../src/kube/client.ts';
import { loadKubeConfig } from '../src/kube/kube-config.ts';
import { resourcePath } from '../src/kube/resource-path.ts';
import { type Environment, startEnvironment } from '../src/local/environment.ts';
import { messageOf } from '../src/local/errors.ts';
import { type OperatorProcess, startOperator } from '../src/local/operator.ts';
import { freePort } from '../src/local/ports.ts';
import { demo, demoSpec } from '../test/kit/demo.ts';
import { DemoWatch } from './demo-watch.ts';
import { buildOperator } from './image-program.ts';
import { type Metrics, metric, readMetrics } from './operator-metrics.ts';
import { stopEach } from './stop-each.ts';

const CHAOS_DEMO_TYPE = { group: GROUP, version: VERSION, plural: PLURAL };

/** Requests of the bench that are under way at once where it makes or deletes many objects. */
const AT_ONCE = 16;
/** Against waiting for ever. */
const START_MS = 180_000;

export class World {
  readonly environment: Environment;
  /** As the admin of the cluster. */
  readonly client: KubeClient;
  readonly demos: DemoWatch;
  readonly operator: OperatorProcess;
  readonly signal: AbortSignal;
  readonly #port: number;
  readonly #stops: readonly (() => Promise<void>)[];

  private constructor(
    parts: Pick<World, 'environment' | 'client' | 'demos' | 'operator' | 'signal'>,
    port: number,
    stops: readonly (() => Promise<void>)[],
  ) {
    this.environment = parts.environment;
    this.client = parts.client;
    this.demos = parts.demos;
    this.operator = parts.operator;
    this.signal = parts.signal;
    this.#port = port;
    this.#stops = stops;
  }

  /** Starts all of it; nothing is left when it throws. `onBroken` hears when a part ends that should run. */
  static async start(
    say: (line: string) => void,
    signal: AbortSignal,
    onBroken: (error: Error) => void,
  ): Promise<World> {
    const environment = await startEnvironment({
      mode: 'approximate',
      onProgress: (step, message) => say(`${step}: ${message}`),
      signal,
    });
    void environment.broken.then(onBroken);
    // What was started last is stopped first: a client closes only when nobody watches by it any more.
    const stops = [() => environment.stop()];
    try {
      const port = await freePort();
      say('operator: bundling it as the image does');
      const program = await buildOperator(signal);
      const operator = await startOperator(environment, { args: [`--http-port=${port}`], program, signal });
      stops.unshift(() => operator.stop());
      const client = new KubeClient(loadKubeConfig(environment.controlPlane.kubeconfig), {
        connections: AT_ONCE,
        timeoutMs: 120_000,
      });
      stops.unshift(() => client.close());
      const demos = await DemoWatch.start(client, environment.namespace, signal);
      stops.unshift(() => demos.close());
      const world = new World({ environment, client, demos, operator, signal }, port, stops);
      await world.untilLeading();
      return world;
    } catch (error) {
      // Why it did not start is what has to be known, also where something cannot be stopped.
      await stopEach(stops).catch((failure: unknown) => say(`could not be stopped: ${messageOf(failure)}`));
      throw error;
    }
  }

  async stop(): Promise<void> {
    await stopEach(this.#stops);
  }

  /** Of the operator that runs now. */
  async metrics(): Promise<Metrics> {
    return await readMetrics(`http://127.0.0.1:${this.#port}/metrics`);
  }

  /** Stops the operator, does `meanwhile`, and starts one that remembers nothing; resolves when it leads. */
  async restartOperator(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    await this.operator.stop();
    await meanwhile();
    await this.operator.start();
    await this.untilLeading();
  }

  /** @throws when the operator ends, or does not lead within 3 min */
  async untilLeading(): Promise<void> {
    await this.until('the operator to lead', async () => {
      const { process } = this.operator;
      if (process.exit) throw process.exitError();
      // Nobody listens yet right after the start.
      const metrics = await this.metrics().catch(() => undefined);
      return metrics !== undefined && metric(metrics, 'chaosdemo_leader') === 1;
    });
  }

  /** Asks until it holds. @throws after 3 min, and what `holds` throws */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + START_MS;
    while (!(await holds())) {
      if (performance.now() > deadline) throw new Error(`waited ${START_MS / 1000} s for ${what}`);
      await sleep(50, undefined, { signal: this.signal });
    }
  }

  /** Creates a ChaosDemo with this in its spec, by one POST. */
  async create(name: string, spec: object): Promise<ChaosDemo> {
    const { namespace } = this.environment;
    return await this.client.request<ChaosDemo>({
      method: 'POST',
      path: resourcePath(CHAOS_DEMO_TYPE, { namespace }),
      body: demo({ name, namespace }, demoSpec(spec)),
      signal: this.signal,
    });
  }

  /** Sets one of the annotations by which a hand steers a run. */
  async annotate(name: string, annotation: keyof typeof ANNOTATIONS, value: string): Promise<void> {
    const { namespace } = this.environment;
    await this.client.request({
      method: 'PATCH',
      path: resourcePath(CHAOS_DEMO_TYPE, { namespace, name }),
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { [ANNOTATIONS[annotation]]: value } } },
      signal: this.signal,
    });
  }

  /** Waits for the verdict. */
  async ended(name: string): Promise<ChaosDemoStatus> {
    const { demo } = await this.demos.until(name, 'to end', ({ status }) => !!status?.run?.completedAt);
    return demo.status ?? {};
  }

  /** Deletes objects and waits until none of them is left, nor a lease of theirs on a Redis. */
  async delete(names: readonly string[]): Promise<void> {
    const { namespace } = this.environment;
    await this.forEach(names, async (name) => {
      const path = resourcePath(CHAOS_DEMO_TYPE, { namespace, name });
      await this.client.request({ method: 'DELETE', path, signal: this.signal });
      await this.demos.untilGone(name);
    });
    const path = resourcePath(
      { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' },
      { namespace },
    );
    await this.until('the leases of deleted ChaosDemos to go', async () => {
      const leases = await this.client.request<{ items: unknown[] }>({ method: 'GET', path });
      return leases.items.length === 0;
    });
  }

  /** Stores a status as the admin, with the guard and the call that the operator uses. */
  async storeStatus(demo: ChaosDemo, status: object): Promise<void> {
    await applyStatus(
      {
        client: this.client,
        type: CHAOS_DEMO_TYPE,
        object: { ...demo, apiVersion: API_VERSION, kind: KIND },
        fieldManager: 'chaosdemo-bench',
        signal: this.signal,
      },
      status,
    );
  }

  /** Does something for each item, for several of them at once. */
  async forEach<T>(
    items: readonly T[],
    work: (item: T) => Promise<void>,
    atOnce: number = AT_ONCE,
  ): Promise<void> {
    const left = items.values();
    const worker = async (): Promise<void> => {
      for (const item of left) await work(item);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }
}

/** `prefix-0`, `prefix-1` and so on. */
export function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
}
