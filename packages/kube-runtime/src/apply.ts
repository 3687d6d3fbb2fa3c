/**
 * Writes that are rejected if the object changed since it was read. Each carries the uid and resourceVersion of the
 * object the decision was made on: without them two writers overwrite each other unseen, even with server-side apply (a
 * forced apply never conflicts on its own).
 *
 * A 409 (`isConflict`) means: read again, decide again. Returns the object as stored, with as little of its metadata as
 * a reflector keeps (see `slim`), and with those annotations that the object of the decision has.
 */
import { isNotFound } from './api-error.ts';
import type { KubeApi } from './client.ts';
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
  timeoutMs?: number;
}

/**
 * Applies the complete status (server-side apply on the `status` subresource): fields this manager set before and omits
 * now are removed. Returns the object as stored.
 *
 * @throws {ApiError} 409 if there was a write since, or the object was recreated; 422 if the schema rejects the status.
 */
export async function applyStatus<T extends KubeObject>(write: GuardedWrite<T>, status: object): Promise<T> {
  const { client, type, object, fieldManager } = write;
  const { apiVersion, kind } = object;
  if (apiVersion === undefined || kind === undefined) {
    throw new Error(`cannot apply the status of ${object.metadata.name}: apiVersion and kind are not set`);
  }
  const { name, namespace } = object.metadata;
  const stored = await client.request<T>({
    method: 'PATCH',
    path: resourcePath(type, { namespace, name, subresource: 'status' }),
    query: { fieldManager, force: true },
    contentType: 'application/apply-patch+yaml',
    body: {
      apiVersion,
      kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...guard(object) },
      status,
    },
    ...call(write),
  });
  return slimAs(object, stored);
}

/**
 * Adds a finalizer; does nothing if it is there. Returns the object as stored.
 *
 * @throws {ApiError} 409 as for `applyStatus`; 422 if the object is being deleted.
 */
export async function addFinalizer<T extends KubeObject>(
  write: GuardedWrite<T>,
  finalizer: string,
): Promise<T> {
  const finalizers = write.object.metadata.finalizers ?? [];
  if (finalizers.includes(finalizer)) return write.object;
  return patchFinalizers(write, [...finalizers, finalizer]);
}

/**
 * Removes a finalizer; does nothing if it is not there. Returns the object as
 * stored, or undefined if it is gone.
 *
 * @throws {ApiError} 409 as for `applyStatus`.
 */
export async function removeFinalizer<T extends KubeObject>(
  write: GuardedWrite<T>,
  finalizer: string,
): Promise<T | undefined> {
  const finalizers = write.object.metadata.finalizers ?? [];
  if (!finalizers.includes(finalizer)) return write.object;
  try {
    return await patchFinalizers(
      write,
      finalizers.filter((other) => other !== finalizer),
    );
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** A merge patch replaces the complete list; the guard makes that safe. */
async function patchFinalizers<T extends KubeObject>(
  write: GuardedWrite<T>,
  finalizers: string[],
): Promise<T> {
  const { client, type, object, fieldManager } = write;
  const { name, namespace } = object.metadata;
  const stored = await client.request<T>({
    method: 'PATCH',
    path: resourcePath(type, { namespace, name }),
    query: { fieldManager },
    contentType: 'application/merge-patch+json',
    body: { metadata: { ...guard(object), finalizers } },
    ...call(write),
  });
  return slimAs(object, stored);
}

/** The guard ensures that no annotation was added since. */
function slimAs<T extends KubeObject>(object: T, stored: T): T {
  return slim(stored, Object.keys(object.metadata.annotations ?? {}));
}

function guard(object: KubeObject): { uid: string; resourceVersion: string } {
  const { name, uid, resourceVersion } = object.metadata;
  // Without them the write would be silently unguarded.
  if (uid === undefined || resourceVersion === undefined) {
    throw new Error(`cannot write ${name}: it was not read from the API server (no uid or resourceVersion)`);
  }
  return { uid, resourceVersion };
}

function call(write: { signal?: AbortSignal; timeoutMs?: number }): {
  signal?: AbortSignal;
  timeoutMs?: number;
} {
  return {
    ...(write.signal === undefined ? {} : { signal: write.signal }),
    ...(write.timeoutMs === undefined ? {} : { timeoutMs: write.timeoutMs }),
  };
}
