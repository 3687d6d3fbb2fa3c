/**
 * Writes that are rejected if the object changed since it was read. Each carries the uid and resourceVersion of the
 * object the decision was made on: without them two writers overwrite each other unseen, even with server-side apply (a
 * forced apply never conflicts on its own).
 *
 * A 409 (`isConflict`) means: read again, decide again. Returns the object as stored, with as little of its metadata as
 * a reflector keeps (see `slim`), and with those annotations that the object of the decision has.
 */
import type { KubeApi, KubeRequest } from './client.ts';
import type { KubeObject } from './kube-types.ts';
import { type ResourceType, resourcePath } from './resource-path.ts';
import { slim } from './slim.ts';

/** What every guarded write needs: the location, and the object the decision was made on. */
export interface GuardedWrite<T extends KubeObject> {
  client: KubeApi;
  type: ResourceType;
  /** As read: its uid and resourceVersion are the guard. */
  object: T;
  /** Owner of the fields written; always the same for one controller. */
  fieldManager: string;
  signal?: AbortSignal;
}

/**
 * Applies the complete status (server-side apply on the `status` subresource): fields this manager set before and omits
 * now are removed. Returns the object as stored.
 *
 * @throws {ApiError} 409 if there was a write since, or the object was recreated; 422 if the schema rejects the status.
 */
export async function applyStatus<T extends KubeObject>(write: GuardedWrite<T>, status: object): Promise<T> {
  const { apiVersion, kind, metadata } = write.object;
  const { name, namespace } = metadata;
  if (apiVersion === undefined || kind === undefined) {
    throw new Error(`cannot apply the status of ${name}: apiVersion and kind are not set`);
  }
  return await patch(write, 'status', {
    query: { force: true },
    contentType: 'application/apply-patch+yaml',
    body: { apiVersion, kind, metadata: { name, namespace, ...guard(write.object) }, status },
  });
}

/**
 * Replaces all finalizers. Returns the object as stored.
 *
 * @throws {ApiError} 409 as for `applyStatus`; 422 if one is added while the object is being deleted; 404 if it is gone.
 */
export async function writeFinalizers<T extends KubeObject>(
  write: GuardedWrite<T>,
  finalizers: readonly string[],
): Promise<T> {
  const body = { metadata: { ...guard(write.object), finalizers } };
  return await patch(write, undefined, { contentType: 'application/merge-patch+json', body });
}

async function patch<T extends KubeObject>(
  { client, type, object, fieldManager, signal }: GuardedWrite<T>,
  subresource: string | undefined,
  { query, ...content }: Pick<KubeRequest, 'body' | 'contentType' | 'query'>,
): Promise<T> {
  const { name, namespace, annotations = {} } = object.metadata;
  const path = resourcePath(type, { namespace, name, subresource });
  const request = { method: 'PATCH', path, query: { fieldManager, ...query }, signal, ...content } as const;
  // The guard ensures that no annotation was added since.
  return slim(await client.request<T>(request), Object.keys(annotations));
}

function guard(object: KubeObject): { uid: string; resourceVersion: string } {
  const { name, uid, resourceVersion } = object.metadata;
  // Without them the write would be silently unguarded.
  if (uid === undefined || resourceVersion === undefined) {
    throw new Error(`cannot write ${name}: it was not read from the API server (no uid or resourceVersion)`);
  }
  return { uid, resourceVersion };
}
