/** Watches the ChaosDemos of a namespace, and remembers when each version of each of them arrived. */
import { ANNOTATIONS, type ChaosDemo, GROUP, PLURAL, VERSION } from '../src/api/index.ts';
import type { KubeClient } from '../src/kube/client.ts';
import { Reflector } from '../src/kube/reflector.ts';
import { resourcePath } from '../src/kube/resource-path.ts';
import { Store } from '../src/kube/store.ts';

/** A version of an object, or its absence, and when it was seen: performance.now(). */
interface Seen {
  readonly demo: ChaosDemo | undefined;
  readonly at: number;
}

type SeenDemo = Seen & { readonly demo: ChaosDemo };

const silent = { debug() {}, info() {}, warn() {}, error() {} };
/** Against waiting for ever; nothing that is measured comes near it. */
const DEADLINE_MS = 300_000;

export class DemoWatch {
  readonly #latest = new Map<string, Seen>();
  readonly #listeners = new Map<string, Set<(seen: Seen) => void>>();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #running: Promise<void>;
  readonly #synced: Promise<void>;

  private constructor(client: KubeClient, namespace: string, signal: AbortSignal) {
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
    const store = new Store<ChaosDemo>(silent);
    store.subscribe(({ type, object }) => {
      const seen = { demo: type === 'deleted' ? undefined : object, at: performance.now() };
      const { name } = object.metadata;
      if (type === 'deleted') this.#latest.delete(name);
      else this.#latest.set(name, seen);
      for (const listener of this.#listeners.get(name) ?? []) listener(seen);
    });
    const path = resourcePath({ group: GROUP, version: VERSION, plural: PLURAL }, { namespace });
    const annotations = Object.values(ANNOTATIONS);
    const reflector = new Reflector<ChaosDemo>({ client, path, store, annotations, logger: silent });
    this.#running = reflector.run(this.#signal);
    this.#synced = reflector.waitForSync(this.#signal);
  }

  /** Resolves once it sees everything there is. */
  static async start(client: KubeClient, namespace: string, signal: AbortSignal): Promise<DemoWatch> {
    const watch = new DemoWatch(client, namespace, signal);
    await watch.#synced;
    return watch;
  }

  /**
   * The first version of an object, from the one that is there now, for which this
   * holds. @throws after 5 min, saying `what` was waited for and what was seen last
   */
  async until(name: string, what: string, holds: (demo: ChaosDemo) => boolean): Promise<SeenDemo> {
    const isIt = (seen: Seen | undefined): seen is SeenDemo => seen?.demo !== undefined && holds(seen.demo);
    return (await this.#until(name, what, isIt)) as SeenDemo;
  }

  /** Waits until an object is gone; as `until`. */
  async untilGone(name: string): Promise<void> {
    await this.#until(name, 'to be gone', (seen) => seen?.demo === undefined);
  }

  async #until(
    name: string,
    what: string,
    holds: (seen: Seen | undefined) => boolean,
  ): Promise<Seen | undefined> {
    this.#signal.throwIfAborted();
    const now = this.#latest.get(name);
    if (holds(now)) return now;
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    return await new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        listeners.delete(listener);
        this.#signal.removeEventListener('abort', onAbort);
      };
      const listener = (seen: Seen): void => {
        if (!holds(seen)) return;
        end();
        resolve(seen);
      };
      const onAbort = (): void => {
        end();
        reject(this.#signal.reason as Error);
      };
      const timer = setTimeout(() => {
        end();
        const { message, phase, chapter } = this.#latest.get(name)?.demo?.status ?? {};
        const last = `${phase ?? 'no status'}, ${chapter ?? 'no chapter'}: ${message ?? ''}`;
        reject(new Error(`waited ${DEADLINE_MS / 1000} s for ${name} ${what}; last seen: ${last}`));
      }, DEADLINE_MS);
      listeners.add(listener);
      this.#signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Ends the watch; whoever still waits is told so. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the benchmark has ended'));
    await this.#running;
  }
}
