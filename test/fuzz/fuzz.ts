/** Sends ChaosDemos, valid and not, through a real API server to the real operator, and reports the outcome. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type KubeApi, Reflector, resourcePath, Store } from '@chaosdemo/kube-runtime';
import { API_VERSION, type ChaosDemo, KIND } from '../../src/api/index.ts';
import { CHAOS_DEMO_TYPE } from '../../src/operator/adapters/kube-demo-api.ts';
import { randomOf } from '../../src/subjects/scenarios/seed.ts';
import { held } from '../kit/memory.ts';
import { until } from '../kit/until.ts';
import { type Case, casesOf, type Step } from './cases.ts';
import type { FuzzWorld } from './world.ts';

/** Longest time to a first status, and to one that answers an edit. */
export const STATUS_WITHIN_MS = 30_000;

/** Longest time in which a deleted object goes, whatever its status says of a fault: see `isPossiblyActive`. */
export const GONE_WITHIN_MS = 310_000;

/** What a run may keep beyond what was there before it, in MiB, however many objects came and went. */
export const KEPT_MIB = 30;

/** Objects that live at the same time. */
const AT_ONCE = 24;

const silent = { debug() {}, info() {}, warn() {}, error() {} };

export interface FuzzOptions {
  readonly client: KubeApi;
  readonly world: FuzzWorld;
  readonly seed: number;
  readonly count: number;
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface FuzzReport {
  readonly sent: number;
  /** Refused by the API server: they fit neither the schema nor its rules. */
  readonly refused: number;
  readonly accepted: number;
  /** Edits, annotations and forged statuses that the API server took. */
  readonly steps: number;
  /** Runs that began. */
  readonly runs: number;
  /** Answers of nodes and Redis that were spoiled. */
  readonly garbled: number;
  /** What did not hold, a line each, with the number of the case. */
  readonly failures: readonly string[];
  readonly slowestStatusMs: number;
  readonly slowestEndMs: number;
  /** After garbage collection, with nothing left, before the first case and after the last. */
  readonly heapBeforeMiB: number;
  readonly heapAfterMiB: number;
  readonly peakRssMiB: number;
  /** Longest time for which the event loop stood, in milliseconds; the fuzzer is on it, too. */
  readonly longestStallMs: number;
  readonly tookMs: number;
}

/** Runs so many cases of this seed. @throws where the operator ended, or `signal` aborted */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  return await new Fuzzer(options).run();
}

/** Shared by all that work on them: each takes the next. */
function* numbered<T>(items: Iterable<T>): Generator<[number, T]> {
  let index = 0;
  for (const item of items) yield [index++, item];
}

class Fuzzer {
  readonly #options: FuzzOptions;
  readonly #random: () => number;
  readonly #store = new Store<ChaosDemo>(silent);
  readonly #failures: string[] = [];
  readonly #runs = new Set<string>();
  #refused = 0;
  #accepted = 0;
  #steps = 0;
  #slowestStatusMs = 0;
  #slowestEndMs = 0;
  #peakRss = 0;

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#random = randomOf(options.seed);
  }

  async run(): Promise<FuzzReport> {
    const { client, count, say, seed, world } = this.#options;
    const watches = new AbortController();
    const watching = world.namespaces.map(async (namespace) => {
      const path = resourcePath(CHAOS_DEMO_TYPE, { namespace });
      await new Reflector({ client, path, store: this.#store, logger: silent }).run(watches.signal);
    });
    this.#store.subscribe(({ object }) => {
      const { run } = object.status ?? {};
      if (run) this.#runs.add(`${object.metadata.uid}/${run.number}`);
      this.#peakRss = Math.max(this.#peakRss, process.memoryUsage.rss());
    });
    const cases = numbered(casesOf(seed, count));
    await this.#warmUp();
    const { heapMiB: heapBeforeMiB } = held();
    const stalls = monitorEventLoopDelay({ resolution: 10 });
    stalls.enable();
    const start = performance.now();
    const work = async (): Promise<void> => {
      for (const [index, one] of cases) {
        await this.#live(one, index);
        if ((index + 1) % 500 === 0) say?.(this.#progress(index + 1, start));
      }
    };
    try {
      await Promise.race([
        Promise.all(Array.from({ length: AT_ONCE }, work)),
        world.operator.ended.then(() => {
          throw new Error('the operator ended');
        }),
      ]);
      stalls.disable();
      const tookMs = performance.now() - start;
      await this.#warmUp();
      // What is kept for a moment (events, idle connections) is released within 2 s.
      await sleep(2000);
      const { heapMiB: heapAfterMiB } = held();
      return {
        sent: count,
        refused: this.#refused,
        accepted: this.#accepted,
        steps: this.#steps,
        runs: this.#runs.size,
        garbled: world.garbled(),
        failures: this.#failures,
        slowestStatusMs: this.#slowestStatusMs,
        slowestEndMs: this.#slowestEndMs,
        heapBeforeMiB,
        heapAfterMiB,
        peakRssMiB: this.#peakRss / 2 ** 20,
        longestStallMs: stalls.max / 1e6,
        tookMs,
      };
    } finally {
      watches.abort();
      await Promise.all(watching);
    }
  }

  /** A valid object still gets its status. */
  async #warmUp(): Promise<void> {
    const spec = {
      rateLimiter: {
        selector: { matchLabels: { a: 'b' } },
        redis: { serviceName: 'redis' },
      },
    };
    await this.#live({ place: 1, spec, annotations: {}, steps: [] }, -1);
  }

  async #live({ annotations, place, spec, steps }: Case, index: number): Promise<void> {
    const namespace = this.#options.world.namespaces[place];
    const name = index < 0 ? `plain-${Math.floor(performance.now())}` : `case-${index}`;
    const metadata = { name, namespace, annotations };
    const created = await this.#send('POST', resourcePath(CHAOS_DEMO_TYPE, { namespace }), {
      apiVersion: API_VERSION,
      kind: KIND,
      metadata,
      spec,
    });
    if (!created) {
      this.#refused += 1;
      return;
    }
    this.#accepted += 1;
    const key = `${namespace}/${name}`;
    let forged = false;
    try {
      await this.#untilAnswered(key);
      for (const step of steps) {
        // In the midst of a run, now and then.
        if (place === 2) await sleep(this.#random() * 1500);
        const took = await this.#take(namespace, name, step);
        if (took) this.#steps += 1;
        forged ||= took && step.kind === 'status';
        // A forged status may say that it answers what it does not.
        if (!forged) await this.#untilAnswered(key);
      }
    } catch (error) {
      this.#failures.push(`case ${index}: ${String(error)}`);
    }
    // Some runs get so far as to inject.
    if (place === 2) await sleep(this.#random() * 6000);
    await this.#end(namespace, name, key, index);
  }

  async #take(namespace: string, name: string, step: Step): Promise<boolean> {
    const path = resourcePath(CHAOS_DEMO_TYPE, { namespace, name });
    switch (step.kind) {
      case 'spec':
        return await this.#send('PATCH', path, { spec: step.spec });
      case 'annotations':
        return await this.#send('PATCH', path, { metadata: { annotations: step.annotations } });
      case 'status':
        return await this.#send('PATCH', `${path}/status`, { status: step.status });
      default:
        return step satisfies never;
    }
  }

  /** Whether the API server took it. @throws where that is not said, or is a mistake of the server */
  async #send(method: 'DELETE' | 'PATCH' | 'POST', path: string, body?: object): Promise<boolean> {
    const { client, signal } = this.#options;
    try {
      await client.request({
        method,
        path,
        ...(body ? { body } : {}),
        ...(method === 'PATCH' ? { contentType: 'application/merge-patch+json' as const } : {}),
        ...(signal ? { signal } : {}),
      });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status < 500) return false;
      throw error;
    }
  }

  async #untilAnswered(key: string): Promise<void> {
    const start = performance.now();
    await until(
      () => {
        const { metadata, status } = this.#store.get(key) ?? {};
        return metadata && (status?.observedGeneration ?? -1) >= metadata.generation;
      },
      { what: `a status of ${key}`, deadlineMs: STATUS_WITHIN_MS, everyMs: 20, signal: this.#options.signal },
    );
    this.#slowestStatusMs = Math.max(this.#slowestStatusMs, performance.now() - start);
  }

  async #end(namespace: string, name: string, key: string, index: number): Promise<void> {
    const start = performance.now();
    try {
      await this.#send('DELETE', resourcePath(CHAOS_DEMO_TYPE, { namespace, name }));
      const gone = (): boolean => this.#store.get(key) === undefined;
      const { signal } = this.#options;
      await until(gone, { what: `${key} to go`, deadlineMs: GONE_WITHIN_MS, everyMs: 20, signal });
    } catch (error) {
      this.#failures.push(`case ${index}: ${String(error)}`);
    }
    this.#slowestEndMs = Math.max(this.#slowestEndMs, performance.now() - start);
  }

  #progress(done: number, start: number): string {
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    const rss = (this.#peakRss / 2 ** 20).toFixed(0);
    return `${done} cases in ${seconds} s, ${this.#refused} refused, ${this.#runs.size} runs, ${this.#failures.length} failures, at most ${rss} MiB resident`;
  }
}
