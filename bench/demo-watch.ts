/** Watches the ChaosDemos of a namespace, and remembers when each version of each of them arrived. */
import { EventEmitter, on } from 'node:events';
import { type KubeClient, Reflector, resourcePath, Store } from '@chaosdemo/kube-runtime';
import { ANNOTATIONS, type ChaosDemo } from '../src/api/index.ts';
import { CHAOS_DEMO_TYPE } from '../src/operator/adapters/kube-demo-api.ts';

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
  /** Has each `Seen` as an event by the name of its object. Thousands may wait at once. */
  readonly #changes = new EventEmitter().setMaxListeners(0);
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
      this.#changes.emit(name, seen);
    });
    const path = resourcePath(CHAOS_DEMO_TYPE, { namespace });
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

  /** As `until`, for the first version of all. */
  async untilThere(name: string): Promise<SeenDemo> {
    return await this.until(name, `${name} to appear`, () => true);
  }

  /** As `until`, for the first version that the operator has looked at. */
  async untilFirstStatus(name: string): Promise<SeenDemo> {
    const hasStatus = ({ status }: ChaosDemo): boolean => (status?.observedGeneration ?? -1) > 0;
    return await this.until(name, `the first status of ${name}`, hasStatus);
  }

  /** Waits until an object is gone; as `until`. */
  async untilGone(name: string): Promise<void> {
    await this.#until(name, `${name} to be gone`, (seen) => seen?.demo === undefined);
  }

  async #until(
    name: string,
    what: string,
    holds: (seen: Seen | undefined) => boolean,
  ): Promise<Seen | undefined> {
    this.#signal.throwIfAborted();
    const now = this.#latest.get(name);
    if (holds(now)) return now;
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    const signal = AbortSignal.any([this.#signal, deadline]);
    try {
      const changes = on(this.#changes, name, { signal }) as AsyncIterable<[Seen]>;
      for await (const [seen] of changes) if (holds(seen)) return seen;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!deadline.aborted) throw error;
    }
    const { message, phase, chapter } = this.#latest.get(name)?.demo?.status ?? {};
    const last = `${phase ?? 'no status'}, ${chapter ?? 'no chapter'}: ${message ?? ''}`;
    throw new Error(`waited ${DEADLINE_MS / 1000} s for ${what}; last seen: ${last}`);
  }

  /** Ends the watch; what still waits for it fails. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the benchmark has ended'));
    await this.#running;
  }
}
