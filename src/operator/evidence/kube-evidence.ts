/** Evidence of runs in ConfigMaps beside their ChaosDemos, which own them. */
import type { ChaosDemo } from '../../api/index.ts';
import { API_VERSION, KIND } from '../../api/index.ts';
import { evidenceLabels, evidenceName } from '../../evidence/index.ts';
import { FairGate } from '../../fair/fair-gate.ts';
import {
  ApiError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isInvalid,
  isNotFound,
} from '../../kube/api-error.ts';
import type { KubeClient, KubeRequest } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/kube-types.ts';
import { resourcePath } from '../../kube/resource-path.ts';
import type { EvidenceFiles, EvidenceStore, EvidenceWrite, KeptEvidence } from '../shell/ports.ts';

const configMaps = { group: '', version: 'v1', plural: 'configmaps' };
/** Nobody needs the data back. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
/** Of metadata, in bytes: the API server takes 256 KiB of annotations. */
const MOST_BYTES = 1024 * 1024;
/**
 * Writes at once, in all and of one namespace: where ConfigMaps take long, behind a webhook, say, connections stay
 * for what ends a fault, and for the lease.
 */
const AT_ONCE = { most: 4, mostByGroup: 2 };
/** How often a write is tried while others write the same object. */
const TRIES = 3;

/** What is known of a ConfigMap without its data. */
interface Found extends KubeObject {
  metadata: KubeObject['metadata'] & { ownerReferences?: { kind: string; name: string; uid: string }[] };
}

/** Keeps them with the rights of `client`. */
export function createKubeEvidence(client: KubeClient): EvidenceStore {
  const gate = new FairGate(AT_ONCE);
  const call = async (request: KubeRequest): Promise<Found> =>
    await client.request<Found>({ accept: METADATA_ONLY, maxBytes: MOST_BYTES, ...request });
  const pathOf = ({ metadata }: ChaosDemo, run: number): string =>
    resourcePath(configMaps, { namespace: metadata.namespace, name: evidenceName(metadata.name, run) });

  const find = async (path: string, signal: AbortSignal): Promise<Found | undefined> => {
    try {
      return await call({ method: 'GET', path, signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  const create = async (
    demo: ChaosDemo,
    run: number,
    data: EvidenceFiles,
    signal: AbortSignal,
  ): Promise<Found | undefined> => {
    const { name, namespace, uid } = demo.metadata;
    const owner = { apiVersion: API_VERSION, kind: KIND, name, uid, controller: true };
    const body = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: evidenceName(name, run),
        namespace,
        labels: evidenceLabels(name, run),
        ownerReferences: [owner],
      },
      data: Object.fromEntries(Object.entries(data).filter(([, text]) => text !== null)),
    };
    try {
      return await call({ method: 'POST', path: resourcePath(configMaps, { namespace }), body, signal });
    } catch (error) {
      if (isAlreadyExists(error)) return undefined;
      throw error;
    }
  };

  const write = async (
    demo: ChaosDemo,
    run: number,
    data: EvidenceFiles,
    stored: KeptEvidence | undefined,
    signal: AbortSignal,
  ): Promise<EvidenceWrite> => {
    const path = pathOf(demo, run);
    if (!stored) {
      const created = await create(demo, run, data, signal);
      if (created) return kept(created);
    }
    let known = stored;
    for (let i = 0; i < TRIES; i += 1) {
      if (!known) {
        const found = await find(path, signal);
        if (!found || (stored && found.metadata.uid !== stored.uid)) return { state: 'gone' };
        if (!isOf(found, demo)) return notOurs(found, demo);
        known = versionOf(found);
      }
      try {
        // Both are guards: what was made anew under the name is never written.
        const metadata = { uid: known.uid, resourceVersion: known.version };
        const contentType = 'application/merge-patch+json';
        return kept(await call({ method: 'PATCH', path, contentType, body: { metadata, data }, signal }));
      } catch (error) {
        if (isNotFound(error)) return { state: 'gone' };
        if (!isConflict(error)) throw error;
        known = undefined;
      }
    }
    throw new Error(`${path} is written by somebody else all the time`);
  };

  const remove = async (demo: ChaosDemo, run: number, signal: AbortSignal): Promise<void> => {
    const path = pathOf(demo, run);
    const found = await find(path, signal);
    if (!found || !isOf(found, demo)) return;
    const { uid, resourceVersion } = found.metadata;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
    try {
      await client.request({ method: 'DELETE', path, body, signal });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  };

  return {
    async keep(demo, run, files, stored, signal) {
      const work = async (): Promise<EvidenceWrite> => await write(demo, run, files, stored, signal);
      try {
        return await gate.run(demo.metadata.namespace, signal, work);
      } catch (error) {
        if (isRefusal(error)) return { state: 'refused', message: adviceOn(error) };
        throw error;
      }
    },
    async remove(demo, run, signal) {
      await gate.run(demo.metadata.namespace, signal, async () => await remove(demo, run, signal));
    },
  };
}

function kept(found: Found): EvidenceWrite {
  return { state: 'kept', stored: versionOf(found) };
}

function versionOf({ metadata: { resourceVersion, uid } }: Found): KeptEvidence {
  return { uid: uid ?? '', version: resourceVersion ?? '' };
}

/** Whether this very ChaosDemo owns it. */
function isOf({ metadata: { ownerReferences = [] } }: Found, { metadata: { uid } }: ChaosDemo): boolean {
  return ownerReferences.some((owner) => owner.kind === KIND && owner.uid === uid);
}

function notOurs({ metadata }: Found, demo: ChaosDemo): EvidenceWrite {
  const { name, ownerReferences = [] } = metadata;
  if (ownerReferences.some((owner) => owner.kind === KIND && owner.name === demo.metadata.name)) {
    const message = `ConfigMap ${name} belongs to an earlier ChaosDemo of this name and has not gone: delete it`;
    return { state: 'taken', message };
  }
  const message = `ConfigMap ${name} is not of this ChaosDemo, so it is left alone: delete or rename it`;
  return { state: 'refused', message };
}

/** What the API server will not take a moment later either. */
function isRefusal(error: unknown): error is ApiError {
  if (isForbidden(error) || isInvalid(error)) return true;
  return error instanceof ApiError && (error.status === 400 || error.status === 413);
}

function adviceOn(error: ApiError): string {
  const right = /cannot (create|get|patch|delete) resource/.test(error.message);
  return right
    ? `${error.message}. Give the operator the rights of the ClusterRole chaosdemo-target as it ships`
    : error.message;
}
