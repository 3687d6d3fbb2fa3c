/** Evidence of runs in ConfigMaps next to their ChaosDemos, which own them. */

import type { KubeApi, KubeObject, KubeRequest } from '@chaosdemo/kube-runtime';
import { corePath, isAlreadyExists, isConflict, isForbidden, isNotFound } from '@chaosdemo/kube-runtime';
import { GroupLimit } from '@chaosdemo/kube-runtime/fair';
import type { ChaosDemo } from '../../api/index.ts';
import { API_VERSION, KIND } from '../../api/index.ts';
import { evidenceLabels, evidenceName } from '../../evidence/index.ts';
import type { EvidenceFiles, EvidenceStore } from '../shell/ports.ts';

/** The data is not needed back. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
/** Maximum bytes of metadata: the API server accepts 256 KiB of annotations. */
const MAX_BYTES = 1024 * 1024;
/**
 * Concurrent writes, in all and per namespace: if ConfigMaps are slow, because of a webhook for example, connections
 * stay free for ending faults and for the lease.
 */
const WRITE_CONCURRENCY = { max: 4, maxPerGroup: 2 };

/** A ConfigMap without its data. */
interface Found extends KubeObject {
  metadata: KubeObject['metadata'] & { ownerReferences?: { kind: string; name: string; uid: string }[] };
}

export function createKubeEvidence(client: KubeApi): EvidenceStore {
  const limit = new GroupLimit(WRITE_CONCURRENCY);
  const call = async (request: KubeRequest): Promise<Found> =>
    await client.request<Found>({ accept: METADATA_ONLY, maxBytes: MAX_BYTES, ...request });
  const pathOf = ({ metadata }: ChaosDemo, run: number): string =>
    corePath('configmaps', { namespace: metadata.namespace, name: evidenceName(metadata.name, run) });

  const write = async (
    demo: ChaosDemo,
    run: number,
    data: EvidenceFiles,
    known: string | undefined,
    signal: AbortSignal,
  ): Promise<string> => {
    const path = pathOf(demo, run);
    let uid = known;
    if (uid === undefined) {
      const { name, namespace, uid: owner } = demo.metadata;
      const metadata = {
        name: evidenceName(name, run),
        namespace,
        labels: evidenceLabels(name, run),
        ownerReferences: [{ apiVersion: API_VERSION, kind: KIND, name, uid: owner, controller: true }],
      };
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
      const all = corePath('configmaps', { namespace });
      const creating = call({ method: 'POST', path: all, body, signal });
      const created = await creating.catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
      if (created) return created.metadata.uid ?? '';
      const found = await call({ method: 'GET', path, signal });
      if (!isOf(found, demo)) throw new Error(notOurs(found, demo));
      uid = found.metadata.uid ?? '';
    }
    // The uid is a guard: an object recreated under the name is never written.
    const body = { metadata: { uid }, data };
    await call({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body, signal });
    return uid;
  };

  const remove = async (demo: ChaosDemo, run: number, signal: AbortSignal): Promise<boolean> => {
    const path = pathOf(demo, run);
    try {
      const found = await call({ method: 'GET', path, signal });
      if (!isOf(found, demo)) return false;
      const { uid, resourceVersion } = found.metadata;
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
      await client.request({ method: 'DELETE', path, body, signal });
      return true;
    } catch (error) {
      if (isNotFound(error) || isConflict(error)) return false;
      throw error;
    }
  };

  const limited = async <T>(demo: ChaosDemo, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    try {
      return await limit.run(demo.metadata.namespace, signal, work);
    } catch (error) {
      throw isForbidden(error) ? new Error(adviceOn(error), { cause: error }) : error;
    }
  };
  return {
    keep: (demo, run, files, uid, signal) =>
      limited(demo, signal, () => write(demo, run, files, uid, signal)),
    remove: (demo, run, signal) => limited(demo, signal, () => remove(demo, run, signal)),
  };
}

/** Whether it is owned by this ChaosDemo (same uid). */
function isOf({ metadata: { ownerReferences = [] } }: Found, { metadata: { uid } }: ChaosDemo): boolean {
  return ownerReferences.some((owner) => owner.kind === KIND && owner.uid === uid);
}

function notOurs({ metadata }: Found, demo: ChaosDemo): string {
  const { name, ownerReferences = [] } = metadata;
  if (ownerReferences.some((owner) => owner.kind === KIND && owner.name === demo.metadata.name)) {
    return `ConfigMap ${name} belongs to an earlier ChaosDemo of this name and has not gone: delete it`;
  }
  return `ConfigMap ${name} is not of this ChaosDemo, so it is not changed: delete or rename it`;
}

function adviceOn({ message }: Error): string {
  const right = /cannot (create|get|patch|delete) resource/.test(message);
  return right
    ? `${message}. Give the operator the rights of the ClusterRole chaosdemo-target as it ships`
    : message;
}
