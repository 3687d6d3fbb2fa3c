/** User operations on ChaosDemos: read, apply, and steer by annotations. */

import { ApiError, isNotFound, type KubeApi, resourcePath } from '@chaosdemo/kube-runtime';
import {
  ANNOTATIONS,
  API_VERSION,
  type ChaosDemo,
  GROUP,
  KIND,
  messageOf,
  PLURAL,
  shell,
  VERSION,
} from '../../api/index.ts';
import type { DemoManifest } from '../manifest.ts';
import type { Connection } from './connection.ts';
import { PluginError } from './errors.ts';

export const CHAOS_DEMOS = { group: GROUP, version: VERSION, plural: PLURAL };
/** How the API server rejects one, in a server-side apply. */
const UNKNOWN_FIELD = /failed to create typed patch object \([^)]*\): \.(\S+): field not declared in schema/;
/** Names in one message. */
const MOST_NAMED = 10;
const FIELD_MANAGER = 'kubectl-chaosdemo';

/** The object of that name. @throws {PluginError} if there is none, with the existing names */
export async function getDemo(
  { client, namespace, kubectl }: Connection,
  name: string,
  signal: AbortSignal,
): Promise<ChaosDemo> {
  try {
    const path = resourcePath(CHAOS_DEMOS, { namespace, name });
    return await client.request<ChaosDemo>({ method: 'GET', path, signal });
  } catch (error) {
    if (isUnknownKind(error)) throw noCrd(kubectl);
    if (!isNotFound(error)) throw error;
    const names = await listNames(client, namespace, signal).catch((): string[] => []);
    throw new PluginError(
      `there is no ChaosDemo ${name} in namespace ${namespace}`,
      names.length > 0 ? `There is: ${names.slice(0, MOST_NAMED).join(', ')}` : elsewhere(kubectl),
    );
  }
}

/** The given name, or the only one of the namespace. @throws {PluginError} if that is ambiguous */
export async function chooseName(
  connection: Connection,
  name: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (name !== undefined) return name.replace(/^(chaosdemos?|cdemo)(\.chaosdemo\.dev)?\//, '');
  const { client, kubectl, namespace } = connection;
  const names = await listNames(client, namespace, signal).catch((error: unknown) => {
    throw isUnknownKind(error) ? noCrd(kubectl) : error;
  });
  const [only] = names;
  if (only === undefined)
    throw new PluginError(`there is no ChaosDemo in namespace ${namespace}`, elsewhere(kubectl));
  if (names.length === 1) return only;
  throw new PluginError(
    `there are ${names.length} ChaosDemos in namespace ${namespace}: name one of ${names.slice(0, MOST_NAMED).join(', ')}`,
  );
}

/** The object of the given name, or the only one of the namespace. @throws {PluginError} as both of the above */
export async function existingDemo(
  connection: Connection,
  name: string | undefined,
  signal: AbortSignal,
): Promise<ChaosDemo> {
  return await getDemo(connection, await chooseName(connection, name, signal), signal);
}

function elsewhere(kubectl: string): string {
  return `See where there is one: ${kubectl} get chaosdemos --all-namespaces`;
}

/** Names of the ChaosDemos of a namespace, sorted; the first 500. */
async function listNames(client: KubeApi, namespace: string, signal: AbortSignal): Promise<string[]> {
  const { items } = await client.request<{ items: { metadata: { name: string } }[] | null }>({
    method: 'GET',
    path: resourcePath(CHAOS_DEMOS, { namespace }),
    query: { limit: 500 },
    accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
    signal,
  });
  // The API server sends null for an empty PartialObjectMetadataList.
  return (items ?? []).map(({ metadata }) => metadata.name).toSorted();
}

/**
 * Server-side apply that takes over fields written by others, because the file is what is to be run.
 * @returns the object as it was stored
 */
export async function applyDemo(
  { client, kubectl }: Connection,
  manifest: DemoManifest & { metadata: { namespace: string } },
  signal: AbortSignal,
): Promise<ChaosDemo> {
  const { name, namespace } = manifest.metadata;
  try {
    return await client.request<ChaosDemo>({
      method: 'PATCH',
      path: resourcePath(CHAOS_DEMOS, { namespace, name }),
      query: { fieldManager: FIELD_MANAGER, force: true, fieldValidation: 'Strict' },
      contentType: 'application/apply-patch+yaml',
      body: manifest,
      signal,
    });
  } catch (error) {
    if (isUnknownKind(error)) throw noCrd(kubectl);
    const [, field] = UNKNOWN_FIELD.exec(messageOf(error)) ?? [];
    if (field !== undefined) {
      throw new PluginError(
        `a ${KIND} has no field ${field}`,
        `Correct its name or its place; all fields: ${kubectl} explain chaosdemo.spec --recursive`,
      );
    }
    if (!isNotFound(error)) throw error;
    throw new PluginError(
      `there is no namespace ${namespace}`,
      `Make it: ${kubectl} ${shell`create namespace ${namespace}`}`,
    );
  }
}

export async function annotate(
  { client, namespace }: Pick<Connection, 'client' | 'namespace'>,
  name: string,
  annotation: keyof typeof ANNOTATIONS,
  value: string,
  signal: AbortSignal,
): Promise<void> {
  await client.request({
    method: 'PATCH',
    path: resourcePath(CHAOS_DEMOS, { namespace, name }),
    query: { fieldManager: FIELD_MANAGER },
    contentType: 'application/merge-patch+json',
    body: { metadata: { annotations: { [ANNOTATIONS[annotation]]: value } } },
    signal,
  });
}

/** Whether this API server does not serve ChaosDemos at all. */
function isUnknownKind(error: unknown): boolean {
  // For a missing object the server names it; for a missing kind it only returns "page not found".
  return error instanceof ApiError && error.status === 404 && error.reason === '';
}

function noCrd(kubectl: string): PluginError {
  return new PluginError(
    `this API server knows no ${KIND} of ${API_VERSION}: the CustomResourceDefinition is missing`,
    `Install it, in a clone of the project: ${kubectl} apply --server-side -k manifests/operator`,
  );
}
