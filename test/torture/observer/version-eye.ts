/** Sees every version of the ChaosDemos of a namespace, straight at the API server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isGone, type KubeApi, resourcePath } from '@chaosdemo/kube-runtime';
import type { ChaosDemo } from '../../../src/api/index.ts';
import { CHAOS_DEMO_TYPE } from '../../../src/operator/adapters/kube-demo-api.ts';
import { now, type TortureRecord } from '../record.ts';

const WATCH_MS = 600_000;
const AGAIN_MS = 100;

export interface VersionEyeOptions {
  readonly client: KubeApi;
  readonly namespace: string;
  readonly lane: number;
  readonly record: () => TortureRecord;
}

export class VersionEye {
  readonly #options: VersionEyeOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  /** By name. */
  readonly #last = new Map<string, ChaosDemo>();
  #resourceVersion: string | undefined;

  constructor(options: VersionEyeOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** From the last version that was seen on, so that none is left out; one that is too old is a gap. */
  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined) await this.#list(signal);
        await this.#watch(signal);
      } catch (error) {
        if (isGone(error)) this.#resourceVersion = undefined;
      }
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, lane, record } = this.#options;
    const list = await client.request<{ metadata: { resourceVersion: string }; items: ChaosDemo[] }>({
      method: 'GET',
      path: this.#path,
      signal,
    });
    this.#resourceVersion = list.metadata.resourceVersion;
    const names = new Set(list.items.map(({ metadata }) => metadata.name));
    for (const object of list.items) {
      record().note({ kind: 'version', at: now(), lane, type: 'MODIFIED', object, afterGap: true });
    }
    for (const object of this.#last.values()) {
      if (names.has(object.metadata.name)) continue;
      record().note({ kind: 'version', at: now(), lane, type: 'DELETED', object, afterGap: true });
    }
    this.#last.clear();
    for (const object of list.items) this.#last.set(object.metadata.name, object);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, lane, record } = this.#options;
    const query = { resourceVersion: this.#resourceVersion ?? '', allowWatchBookmarks: true };
    const times = { timeoutMs: WATCH_MS, idleTimeoutMs: WATCH_MS };
    for await (const event of client.watch<ChaosDemo>({ path: this.#path, query, signal, ...times })) {
      this.#resourceVersion = event.object.metadata.resourceVersion;
      if (event.type === 'BOOKMARK') continue;
      const { object, type } = event;
      if (type === 'DELETED') this.#last.delete(object.metadata.name);
      else this.#last.set(object.metadata.name, object);
      record().note({ kind: 'version', at: now(), lane, type, object });
    }
  }

  get #path(): string {
    return resourcePath(CHAOS_DEMO_TYPE, { namespace: this.#options.namespace });
  }
}
