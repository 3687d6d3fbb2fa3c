/** What subjects may ask of Kubernetes, answered by an API server. */
import type { Clock } from '../demo/clock.ts';
import { isForbidden, isNotFound } from '../kube/api-error.ts';
import type { KubeClient, Query } from '../kube/client.ts';
import type { KubeObject, Logger } from '../kube/kube-types.ts';
import { resourcePath } from '../kube/resource-path.ts';
import type { Cluster, Pod, Secret, Service } from '../subjects/cluster.ts';
import { ForbiddenError } from '../subjects/cluster.ts';
import { KubeLease } from './cluster-lease.ts';
import { createNotes } from './cluster-notes.ts';

/** Deadline of each read, in milliseconds. */
const READ_TIMEOUT_MS = 10_000;

/** The cluster behind `client`, read with its rights. */
export function createKubeCluster(client: KubeClient, clock: Clock, logger: Logger): Cluster {
  const get = async <T>(path: string, signal: AbortSignal, query: Query = {}): Promise<T | undefined> => {
    try {
      return await client.request<T>({ method: 'GET', path, query, signal, timeoutMs: READ_TIMEOUT_MS });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (isForbidden(error)) throw new ForbiddenError(error.message, { cause: error });
      throw error;
    }
  };
  return {
    localPods: isOnThisMachine(client.host),
    async namespaceLabels(name, signal) {
      const namespace = await get<KubeObject>(core('namespaces', { name }), signal);
      return namespace && (namespace.metadata.labels ?? {});
    },
    service: (namespace, name, signal) => get<Service>(core('services', { namespace, name }), signal),
    secret: (namespace, name, signal) => get<Secret>(core('secrets', { namespace, name }), signal),
    // By a list: the operator may not get pods, and need not.
    async pod(namespace, name, signal) {
      const query = { fieldSelector: `metadata.name=${name}`, limit: 1 };
      return (await get<{ items: Pod[] }>(core('pods', { namespace }), signal, query))?.items[0];
    },
    async pods(namespace, labelSelector, most, signal) {
      const query = { labelSelector, limit: most };
      const list = await get<{ metadata: { continue?: string }; items: Pod[] }>(
        core('pods', { namespace }),
        signal,
        query,
      );
      return (list?.metadata.continue ?? '') === '' ? (list?.items ?? []) : 'TooMany';
    },
    ...createNotes(client),
    lease: (options) => new KubeLease({ client, clock, logger, ...options }),
  };
}

/** An API server at a loopback address is that of the embedded run: no pod of a cluster reaches its own there. */
function isOnThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.[\d.]+$/.test(host);
}

function core(plural: string, where: { namespace?: string; name?: string }): string {
  return resourcePath({ group: '', version: 'v1', plural }, where);
}
