/** The environment of the demo with the operator of the image in it. Its ChaosDemos are watched, and not polled. */

import { applyStatus, KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { freePort, messageOf } from '@chaosdemo/testbed';
import { API_VERSION, type ChaosDemo, type ChaosDemoStatus, KIND } from '../src/api/index.ts';
import { NO_COOLDOWN, type OperatorProcess, startOperator } from '../src/local/operator.ts';
import { CHAOS_DEMO_TYPE } from '../src/operator/adapters/kube-demo-api.ts';
import { demo, demoSpec } from '../test/kit/demo.ts';
import { Demos } from '../test/kit/demos.ts';
import { type Environment, startEnvironment } from '../test/kit/environment.ts';
import { until } from '../test/kit/until.ts';
import { DemoWatch } from './demo-watch.ts';
import { AT_ONCE, forEach } from './for-each.ts';
import { buildOperator } from './image-program.ts';
import { type Metrics, metric, readMetrics } from './operator-metrics.ts';
import { stopEach } from './stop-each.ts';

/** Against waiting for ever. */
const START_MS = 180_000;

export class Testbed extends Demos {
  readonly environment: Environment;
  readonly operator: OperatorProcess;
  /** Notes when things happened; the methods of `Demos` wait on it too. */
  readonly watch: DemoWatch;
  readonly #port: number;
  readonly #stops: readonly (() => Promise<void>)[];

  private constructor(
    parts: Pick<Testbed, 'client' | 'environment' | 'operator' | 'signal' | 'watch'>,
    port: number,
    stops: readonly (() => Promise<void>)[],
  ) {
    super(parts.client, parts.environment.namespace, parts.signal);
    this.environment = parts.environment;
    this.operator = parts.operator;
    this.watch = parts.watch;
    this.#port = port;
    this.#stops = stops;
  }

  /** Starts all of it; nothing is left when it throws. `onBroken` hears when a part ends that should run. */
  static async start(
    say: (line: string) => void,
    signal: AbortSignal,
    onBroken: (error: Error) => void,
  ): Promise<Testbed> {
    const environment = await startEnvironment({
      mode: 'approximate',
      onProgress: (step, message) => say(`${step}: ${message}`),
      signal,
    });
    void environment.broken.then(onBroken);
    // What was started last is stopped first: a client closes only after its last watch.
    const stops = [() => environment.stop()];
    try {
      const port = await freePort();
      say('operator: bundling it as the image does');
      const program = await buildOperator(signal);
      const operator = await startOperator(environment, {
        args: [`--http-port=${port}`, NO_COOLDOWN],
        program,
        signal,
      });
      stops.unshift(() => operator.stop());
      const client = new KubeClient(loadKubeConfig(environment.controlPlane.kubeconfig), {
        connections: AT_ONCE,
        timeoutMs: 120_000,
      });
      stops.unshift(() => client.close());
      const watch = await DemoWatch.start(client, environment.namespace, signal);
      stops.unshift(() => watch.close());
      const testbed = new Testbed({ client, environment, operator, signal, watch }, port, stops);
      await testbed.untilLeading();
      return testbed;
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

  /** Stops the operator, runs `whileStopped`, and starts one without memory; resolves when it leads. */
  async restartOperator(whileStopped: () => Promise<void> = async () => {}): Promise<void> {
    await this.operator.stop();
    await whileStopped();
    await this.operator.start();
    await this.untilLeading();
  }

  /** @throws when the operator ends, or does not lead within 3 min */
  async untilLeading(): Promise<void> {
    const { process } = this.operator;
    // The port may be closed right after the start.
    await this.until(
      'the operator to lead',
      async () => process.exit !== undefined || metric(await this.metrics(), 'chaosdemo_leader') === 1,
    );
    if (process.exit) throw process.exitError();
  }

  /** Polls until it holds. @throws after 3 min, and when the signal aborts */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    await until(holds, { what, deadlineMs: START_MS, signal: this.signal });
  }

  /** Creates a ChaosDemo with this in its spec, by one POST. */
  async create(name: string, spec: object): Promise<ChaosDemo> {
    return await this.request<ChaosDemo>({
      method: 'POST',
      path: this.path(),
      body: demo({ name, namespace: this.namespace }, demoSpec(spec)),
    });
  }

  override async untilStatus(
    name: string,
    what: string,
    holds: (status: ChaosDemoStatus) => boolean,
  ): Promise<ChaosDemoStatus> {
    const { demo } = await this.watch.until(name, what, ({ status = {} }) => holds(status));
    return demo.status ?? {};
  }

  override async untilGone(name: string): Promise<void> {
    await this.watch.untilGone(name);
  }

  /** Deletes objects and waits until none of them is left, nor a lease of theirs on a Redis. */
  async clear(names: readonly string[]): Promise<void> {
    await forEach(names, (name) => this.delete(name));
    await this.untilNoLeases();
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
}

/** `prefix-0`, `prefix-1` and so on. */
export function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
}
