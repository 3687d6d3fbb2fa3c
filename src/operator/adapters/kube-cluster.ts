/** The Kubernetes requests open to subjects, answered by an API server. */

import type { KubeApi, KubeObject, Logger } from '@chaosdemo/kube-runtime';
import { corePath, ifFound } from '@chaosdemo/kube-runtime';
import type { Clock } from '../../engine/clock.ts';
import type { Cluster, Secret, Service } from '../../subjects/cluster.ts';
import { KubeLease } from './cluster-lease.ts';
import { createNotes } from './cluster-notes.ts';
import { withForbiddenError } from './forbidden.ts';
import { PodLists, type PodQuery } from './pod-lists.ts';
import { memoryByMetrics, memoryOfProcesses, type PodMetricsList } from './pod-memory.ts';

/** Deadline of each read, in milliseconds. */
const READ_TIMEOUT_MS = 10_000;
/** A fault has 3 s to begin, and the caller waits for half of it. */
const TIMED = { timed: true, withinMs: 1500 };
/** Maximum size of one object, in bytes: more than etcd takes. */
const READ_BYTES = 4 * 1024 * 1024;

/**
 * The cluster behind `client`, read with its rights.
 * @param leads whether the term has the lead: leases are written only while it does
 */
export function createKubeCluster(
  client: KubeApi,
  clock: Clock,
  logger: Logger,
  leads: () => boolean = () => true,
): Cluster {
  const lists = new PodLists(client);
  const list = (query: PodQuery, signal: AbortSignal): ReturnType<PodLists['list']> =>
    withForbiddenError(lists.list(query, signal));
  const get = async <T>(path: string, signal: AbortSignal): Promise<T | undefined> => {
    const request = {
      method: 'GET',
      path,
      signal,
      timeoutMs: READ_TIMEOUT_MS,
      maxBytes: READ_BYTES,
    } as const;
    return await withForbiddenError(ifFound(client.request<T>(request)));
  };
  return {
    localPods: isOnThisMachine(client.host),
    async namespaceLabels(name, signal) {
      const namespace = await get<KubeObject>(corePath('namespaces', { name }), signal);
      return namespace && (namespace.metadata.labels ?? {});
    },
    service: (namespace, name, signal) => get<Service>(corePath('services', { namespace, name }), signal),
    secret: (namespace, name, signal) => get<Secret>(corePath('secrets', { namespace, name }), signal),
    // Uses a list: the operator may not get pods, and need not.
    async pod(namespace, name, signal) {
      const fieldSelector = `metadata.name=${name}`;
      // Requested right before a pause or a write.
      const pods = await list({ namespace, labelSelector: '', fieldSelector, most: 1, timed: true }, signal);
      return pods === 'TooMany' ? undefined : pods[0];
    },
    pods: (namespace, labelSelector, most, signal, timed = false) =>
      list({ namespace, labelSelector, most, ...(timed && TIMED) }, signal),
    async memory(namespace, labelSelector, signal) {
      if (this.localPods) {
        const pods = await list({ namespace, labelSelector, most: 200 }, signal);
        return await memoryOfProcesses(pods === 'TooMany' ? [] : pods, clock.now());
      }
      const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`;
      const query = `labelSelector=${encodeURIComponent(labelSelector)}`;
      return memoryByMetrics(await get<PodMetricsList>(`${path}?${query}`, signal));
    },
    ...createNotes(client),
    lease: (options) => new KubeLease({ client, clock, leads, logger, ...options }),
  };
}

/** An API server at a loopback address is the embedded one: pods of a cluster never reach theirs at such an address. */
function isOnThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.[\d.]+$/.test(host);
}
