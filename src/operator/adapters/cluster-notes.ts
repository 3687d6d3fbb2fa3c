/**
 * Small texts that outlive the process, each in a Lease without a holder: the operator may write no other kind there.
 */
import type { KubeApi, KubeObject } from '@chaosdemo/kube-runtime';
import { ifFound, isConflict, LEASES, resourcePath } from '@chaosdemo/kube-runtime';
import type { Cluster } from '../../subjects/cluster.ts';
import { withForbiddenError } from './forbidden.ts';

const TEXT = 'chaosdemo.dev/note';
const CALL_TIMEOUT_MS = 1000;

/** Reads and writes them with the rights of `client`. */
export function createNotes(client: KubeApi): Pick<Cluster, 'note' | 'keepNote'> {
  const call = async <T>(request: Parameters<KubeApi['request']>[0]): Promise<T> => {
    try {
      return await withForbiddenError(client.request<T>({ timeoutMs: CALL_TIMEOUT_MS, ...request }));
    } catch (error) {
      if (isConflict(error)) throw new Error('another process wrote the note in between', { cause: error });
      throw error;
    }
  };
  return {
    async note(namespace, name, signal) {
      const path = resourcePath(LEASES, { namespace, name });
      const { metadata } = (await ifFound(call<KubeObject>({ method: 'GET', path, signal }))) ?? {};
      return metadata && { text: metadata.annotations?.[TEXT] ?? '', version: metadata.resourceVersion };
    },
    async keepNote({ before, name, namespace, pod, text }, signal) {
      // Deleted with the pod that it is about.
      const owner = { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid };
      const body = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: {
          name,
          namespace,
          annotations: { [TEXT]: text },
          ...(pod.uid === undefined ? {} : { ownerReferences: [owner] }),
          ...(before?.version === undefined ? {} : { resourceVersion: before.version }),
        },
      };
      const where = before ? { namespace, name } : { namespace };
      await call({ method: before ? 'PUT' : 'POST', path: resourcePath(LEASES, where), body, signal });
    },
  };
}
