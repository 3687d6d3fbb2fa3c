/** The ChaosDemos of one namespace, as a person at kubectl handles them, without starting a kubectl each time. */

import type { KubeApi, KubeRequest, Lease } from '@chaosdemo/kube-runtime';
import { isNotFound, LEASES, resourcePath } from '@chaosdemo/kube-runtime';
import { ANNOTATIONS, type ChaosDemo, type ChaosDemoStatus } from '../../src/api/index.ts';
import { CHAOS_DEMO_TYPE } from '../../src/operator/adapters/kube-demo-api.ts';
import { type DemoManifest, demo, demoSpec, sample } from './demo.ts';
import { waitingChapter } from './status.ts';
import { until } from './until.ts';

/** A guard against waiting for ever: no run of a test takes a tenth of it. */
const RUN_MS = 600_000;

export class Demos {
  /** As the admin of the cluster. */
  readonly client: KubeApi;
  readonly namespace: string;
  /** Ends every request and all waiting. */
  readonly signal: AbortSignal;

  constructor(client: KubeApi, namespace: string, signal = new AbortController().signal) {
    this.client = client;
    this.namespace = namespace;
    this.signal = signal;
  }

  /** Server-side apply. */
  async applyObject(object: DemoManifest): Promise<ChaosDemo> {
    return await this.request<ChaosDemo>({
      method: 'PATCH',
      path: this.path(object.metadata.name),
      query: { fieldManager: 'chaosdemo-test', force: true },
      contentType: 'application/apply-patch+yaml',
      body: object,
    });
  }

  /** A file of manifests/samples, under another name. */
  async apply(file: string, name: string): Promise<void> {
    await this.applyObject(await sample(file, { name, namespace: this.namespace }));
  }

  /** A minimal demo with this in its spec (see `demoSpec`). */
  async applySpec(
    name: string,
    spec: object,
    annotations: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await this.applyObject(demo({ name, namespace: this.namespace }, demoSpec(spec), annotations));
  }

  /** Merges this into the object. */
  async patch(name: string, body: object): Promise<void> {
    await this.request({
      method: 'PATCH',
      path: this.path(name),
      contentType: 'application/merge-patch+json',
      body,
    });
  }

  /** Sets an annotation by its name in the API, or any other; null takes it away. */
  async annotate(
    name: string,
    annotation: keyof typeof ANNOTATIONS | (string & {}),
    value: string | null,
  ): Promise<void> {
    const key = annotation in ANNOTATIONS ? ANNOTATIONS[annotation as keyof typeof ANNOTATIONS] : annotation;
    await this.patch(name, { metadata: { annotations: { [key]: value } } });
  }

  async object(name: string): Promise<ChaosDemo> {
    return await this.request<ChaosDemo>({ method: 'GET', path: this.path(name) });
  }

  /** Every ChaosDemo of the namespace. */
  async all(): Promise<ChaosDemo[]> {
    return (await this.request<{ items: ChaosDemo[] }>({ method: 'GET', path: this.path() })).items;
  }

  async status(name: string): Promise<ChaosDemoStatus> {
    return (await this.object(name)).status ?? {};
  }

  /** The first status seen for which this holds. */
  async untilStatus(
    name: string,
    what: string,
    holds: (status: ChaosDemoStatus) => boolean,
  ): Promise<ChaosDemoStatus> {
    let seen: ChaosDemoStatus = {};
    try {
      return await until(
        async () => {
          seen = await this.status(name);
          return holds(seen) ? seen : undefined;
        },
        { deadlineMs: RUN_MS, what, signal: this.signal },
      );
    } catch (error) {
      const { phase, chapter, message } = seen;
      throw new Error(`${String(error)}: ${name} is ${phase}, ${chapter}: ${message}`, { cause: error });
    }
  }

  /** Waits until a chapter waits for a hand. */
  async untilWaiting(name: string, chapter: number): Promise<ChaosDemoStatus> {
    return await this.untilStatus(
      name,
      `${name} to await a hand in chapter ${chapter}`,
      (status) => waitingChapter(status) === chapter,
    );
  }

  /** Waits until the operator has seen the last edit. */
  async untilSeen(name: string): Promise<ChaosDemoStatus> {
    const { generation } = (await this.object(name)).metadata;
    const isSeen = ({ observedGeneration }: ChaosDemoStatus): boolean => observedGeneration === generation;
    return await this.untilStatus(name, 'the edit to be seen', isSeen);
  }

  /** Waits for the verdict. */
  async ended(name: string): Promise<ChaosDemoStatus> {
    return await this.untilStatus(
      name,
      `the verdict of ${name}`,
      ({ run }) => run?.completedAt !== undefined,
    );
  }

  /** Deletes it and waits until it is gone. @throws if that takes longer than `withinMs` */
  async delete(name: string, withinMs = 120_000): Promise<void> {
    await this.remove(name);
    await this.untilGone(name, withinMs);
  }

  /** Requests its deletion without waiting; one that is gone is no error. */
  async remove(name: string): Promise<void> {
    try {
      await this.request({ method: 'DELETE', path: this.path(name) });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Waits until a requested deletion is done. @throws if that takes longer than `withinMs` */
  async untilGone(name: string, withinMs = 120_000): Promise<void> {
    const isGone = async (): Promise<boolean> => {
      try {
        await this.object(name);
        return false;
      } catch (error) {
        return isNotFound(error);
      }
    };
    await until(isGone, { what: `${name} to be gone`, deadlineMs: withinMs, signal: this.signal });
  }

  /** Deletes every ChaosDemo of the namespace and waits until they are gone. */
  async deleteAll(): Promise<void> {
    await Promise.all((await this.all()).map(({ metadata }) => this.delete(metadata.name)));
  }

  /** The Leases of the namespace, by which runs hold a Redis. */
  async leases(): Promise<Lease[]> {
    const path = resourcePath(LEASES, { namespace: this.namespace });
    return (await this.request<{ items: Lease[] }>({ method: 'GET', path })).items;
  }

  /** Waits until the namespace holds no Lease: no run holds a Redis any more. */
  async untilNoLeases(): Promise<void> {
    await until(async () => (await this.leases()).length === 0, {
      what: 'every lease on a Redis to go',
      signal: this.signal,
    });
  }

  /** As the client's, for as long as `signal` lets it. */
  protected async request<T>(request: Omit<KubeRequest, 'signal'>): Promise<T> {
    return await this.client.request<T>({ ...request, signal: this.signal });
  }

  /** Of one of them, or of all. */
  protected path(name?: string): string {
    return resourcePath(CHAOS_DEMO_TYPE, {
      namespace: this.namespace,
      ...(name === undefined ? {} : { name }),
    });
  }
}
