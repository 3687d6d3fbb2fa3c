/**
 * Structural types shared by the runtime: an API object in its JSON form (timestamps are strings, not the `Date`s of
 * client-node's classes), its identity, and the logger.
 */

/** Metadata of an API object as sent by the API server. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
}

/** The minimum an API object must have to be listed, watched, stored and patched. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** The logger used by the runtime; a pino logger is one. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The key of an object in stores and queues: `namespace/name`, or `name` for a cluster-scoped object. */
export function objectKey(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/** The namespace of such a key; '' for an object without one. */
export function namespaceOf(key: string): string {
  return key.slice(0, Math.max(0, key.indexOf('/')));
}

/**
 * Formats a time as a Kubernetes MicroTime: RFC 3339 in UTC with exactly six fractional digits. Leases and events do
 * not accept the three digits of `toISOString`.
 */
export function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
