/**
 * What profiles have used up, in a ConfigMap of the operator's own namespace. It ships empty, since the operator may
 * read and patch this one and make none.
 */
import type { SpendingStore, StoredText, UnusableStore } from '../../diagnosis/models/spending-book.ts';
import { isConflict, isForbidden, isNotFound } from '../../kube/api-error.ts';
import type { KubeClient, KubeRequest } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/kube-types.ts';
import { resourcePath } from '../../kube/resource-path.ts';

/** Name of the ConfigMap. */
export const SPENDING = 'chaosdemo-diagnosis-spending';
const KEY = 'spending.json';
const CALL_TIMEOUT_MS = 2000;
/** Beyond what a ConfigMap can hold. */
const MOST_BYTES = 2 * 1024 * 1024;

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** @param namespace that of the operator */
export function createKubeSpending(client: KubeClient, namespace: string): SpendingStore {
  const path = resourcePath(
    { group: '', version: 'v1', plural: 'configmaps' },
    { namespace, name: SPENDING },
  );
  const call = async (request: Omit<KubeRequest, 'path'>): Promise<StoredText | UnusableStore> => {
    try {
      const options = { timeoutMs: CALL_TIMEOUT_MS, maxBytes: MOST_BYTES, path };
      const { data, metadata } = await client.request<ConfigMap>({ ...options, ...request });
      return { text: data?.[KEY], version: metadata.resourceVersion ?? '' };
    } catch (error) {
      if (!isNotFound(error) && !isForbidden(error)) throw error;
      const what = isNotFound(error) ? 'is not there' : 'may not be read and patched';
      return {
        unusable: `the ConfigMap ${namespace}/${SPENDING} ${what}, so a restart forgets what profiles have used: apply it and its Role as they are in manifests/operator-with-models`,
      };
    }
  };
  return {
    read: async (signal) => await call({ method: 'GET', signal }),
    async write(text, resourceVersion, signal) {
      const body = { metadata: { resourceVersion }, data: { [KEY]: text } };
      try {
        return await call({ method: 'PATCH', contentType: 'application/merge-patch+json', body, signal });
      } catch (error) {
        if (isConflict(error)) return undefined;
        throw error;
      }
    },
  };
}
