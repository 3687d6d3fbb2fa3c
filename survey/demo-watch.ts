/** Sees the ends of many runs with one watch of the API server. */

import { KubeClient, type KubeObject, Reflector, resourcePath, Store } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { type ChaosDemo, type ChaosDemoStatus, GROUP, PLURAL, VERSION } from '../src/api/index.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** All ChaosDemos of an API server. */
export class DemoWatch {
  readonly #store = new Store<ChaosDemo & KubeObject>(silent);
  readonly #client: KubeClient;
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;

  constructor(kubeconfig: string) {
    this.#client = new KubeClient(loadKubeConfig(kubeconfig));
    const path = resourcePath({ group: GROUP, version: VERSION, plural: PLURAL });
    const reflector = new Reflector({ client: this.#client, path, store: this.#store, logger: silent });
    this.#watching = reflector.run(this.#stop.signal);
  }

  /**
   * The status of a ChaosDemo once its run is over or was refused; after `timeoutMs` as it is then, where it has one.
   * Throws the reason of `signal`.
   */
  async untilOver(
    key: { readonly namespace: string; readonly name: string },
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<ChaosDemoStatus> {
    const { promise, reject, resolve } = Promise.withResolvers<ChaosDemoStatus>();
    const name = `${key.namespace}/${key.name}`;
    const late = setTimeout(() => resolve(this.#store.get(name)?.status ?? {}), timeoutMs);
    const aborted = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
    const unsubscribe = this.#store.subscribe(({ object, type }) => {
      const { metadata, status } = object;
      if (type === 'deleted' || !status || `${metadata.namespace}/${metadata.name}` !== name) return;
      if (isTrue(status, 'Finished') || isTrue(status, 'Stalled')) resolve(status);
    });
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      unsubscribe();
      signal.removeEventListener('abort', aborted);
    }
  }

  /** Ends the watch. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    await this.#client.close();
  }
}

function isTrue({ conditions = [] }: ChaosDemoStatus, wanted: string): boolean {
  return conditions.some(({ status, type }) => type === wanted && status === 'True');
}
