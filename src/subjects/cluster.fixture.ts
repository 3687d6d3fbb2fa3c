/** A cluster of one namespace in memory, for tests of what subjects ask of it. */
import { ENABLED_LABEL } from '../api/index.ts';
import {
  type Cluster,
  type ClusterLease,
  ForbiddenError,
  type KeptNote,
  ListTooLargeError,
  type Note,
  type Pod,
  type Secret,
  type Service,
} from './cluster.ts';

export class MemoryCluster implements Cluster {
  localPods = true;
  /** Labels of the namespace; undefined: there is none. */
  labels: Record<string, string> | undefined = { [ENABLED_LABEL]: 'true' };
  podList: Pod[] = [];
  services: Service[] = [];
  secrets: Secret[] = [];
  /** Holders of leases, by name. */
  readonly holders = new Map<string, string>();
  /** By name. */
  readonly notes = new Map<string, string>();
  /** Whether everything but the namespace itself is forbidden. */
  forbidden = false;
  /** Whether its pods are too large to be listed. */
  tooLarge = false;

  async namespaceLabels(): Promise<Record<string, string> | undefined> {
    return this.labels;
  }

  async service(_: string, name: string): Promise<Service | undefined> {
    this.#permit();
    return this.services.find(({ metadata }) => metadata.name === name);
  }

  async secret(_: string, name: string): Promise<Secret | undefined> {
    this.#permit();
    return this.secrets.find(({ metadata }) => metadata.name === name);
  }

  async pod(_: string, name: string): Promise<Pod | undefined> {
    this.#permit();
    return this.podList.find(({ metadata }) => metadata.name === name);
  }

  /** Knows selectors of the form `a=b,c=d` only. */
  async pods(_: string, labelSelector: string, most: number): Promise<readonly Pod[] | 'TooMany'> {
    this.#permit();
    if (this.tooLarge) throw new ListTooLargeError(12, 16 * 1024 * 1024);
    const wanted = labelSelector === '' ? [] : labelSelector.split(',').map((part) => part.split('='));
    const pods = this.podList.filter(({ metadata }) =>
      wanted.every(([key = '', value]) => metadata.labels?.[key] === value),
    );
    return pods.length > most ? 'TooMany' : pods;
  }

  async podMetadata(namespace: string, most: number): Promise<readonly Pick<Pod, 'metadata'>[] | 'TooMany'> {
    return await this.pods(namespace, '', most);
  }

  async note(_: string, name: string): Promise<Note | undefined> {
    this.#permit();
    const text = this.notes.get(name);
    return text === undefined ? undefined : { text };
  }

  async keepNote({ name, text }: KeptNote): Promise<void> {
    this.#permit();
    this.notes.set(name, text);
  }

  lease({ name, holder }: { name: string; holder: string }): ClusterLease {
    const { holders } = this;
    const isHeld = (): boolean => holders.get(name) === holder;
    return {
      acquire: async () => {
        this.#permit();
        const heldBy = holders.get(name);
        if (heldBy !== undefined && heldBy !== holder) return { state: 'held', heldBy };
        holders.set(name, holder);
        return { state: 'acquired' };
      },
      isHeld,
      release: async () => {
        if (isHeld()) holders.delete(name);
      },
      leave: async () => {},
    };
  }

  #permit(): void {
    if (this.forbidden)
      throw new ForbiddenError('User "system:serviceaccount:a:b" cannot list resource "pods"');
  }
}
