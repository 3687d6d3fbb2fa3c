/** Reads of one namespace, to find targets in it. A missing object is undefined. */
import { ENABLED_LABEL } from '../../api/index.ts';
import { type Cluster, MOST_LIST_BYTES, type Pod, type Secret, type Service } from '../cluster.ts';
import { Refusal } from './refusal.ts';

/** A demo cannot watch more pods than this ten times a second. */
const MOST_PODS = 200;

/** More than are read. */
export const TOO_MANY_PODS = `more than ${MOST_PODS} pods, or ${MOST_LIST_BYTES / 1024 ** 2} MiB of them`;

/** Every method throws the cluster's error if an answer is missing or forbidden. */
export class NamespaceReader {
  readonly namespace: string;
  readonly #cluster: Cluster;
  readonly #signal: AbortSignal;

  constructor(cluster: Cluster, namespace: string, signal: AbortSignal) {
    this.#cluster = cluster;
    this.namespace = namespace;
    this.#signal = signal;
  }

  /** See {@link Cluster.localPods}. */
  get localPods(): boolean {
    return this.#cluster.localPods;
  }

  /** @throws {Refusal} NamespaceNotEnabled, with the command that enables it. */
  async requireEnabled(): Promise<void> {
    if ((await this.#labels())?.[ENABLED_LABEL] === 'true') return;
    throw new Refusal(
      'NamespaceNotEnabled',
      `namespace ${this.namespace} is not enabled for chaos. Enable it`,
      { command: `label namespace ${this.namespace} ${ENABLED_LABEL}=true` },
    );
  }

  /** Whether the namespace ever took part: it carries the label, whatever its value. */
  async hasLabel(): Promise<boolean> {
    return (await this.#labels())?.[ENABLED_LABEL] !== undefined;
  }

  service(name: string): Promise<Service | undefined> {
    return this.#cluster.service(this.namespace, name, this.#signal);
  }

  secret(name: string): Promise<Secret | undefined> {
    return this.#cluster.secret(this.namespace, name, this.#signal);
  }

  pod(name: string): Promise<Pod | undefined> {
    return this.#cluster.pod(this.namespace, name, this.#signal);
  }

  /**
   * Undefined: they are {@link TOO_MANY_PODS}.
   * @param labelSelector '' for all
   * @param timed see {@link Cluster.pods}
   */
  async pods(labelSelector: string, timed = false): Promise<readonly Pod[] | undefined> {
    const pods = await this.#cluster.pods(this.namespace, labelSelector, MOST_PODS, this.#signal, timed);
    return pods === 'TooMany' ? undefined : pods;
  }

  #labels(): ReturnType<Cluster['namespaceLabels']> {
    return this.#cluster.namespaceLabels(this.namespace, this.#signal);
  }
}
