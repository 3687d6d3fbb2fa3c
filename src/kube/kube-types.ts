/**
 * The few structural types every part of the runtime shares: an API object as
 * it is on the wire (JSON, so timestamps are strings, not the `Date`s of
 * client-node's classes), its identity, and the logger the runtime writes to.
 */

/** Metadata of an API object as the API server sends it. */
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

/** The least an API object must have to be listed, watched, stored and patched. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/**
 * One of client-node's generated types as it looks in JSON: `Date` is a string,
 * all else keeps its shape.
 *
 * @example
 * type Pod = WireObject<V1Pod>; // metadata present, status.startTime a string
 */
export type Wire<T> = T extends Date
  ? string
  : T extends (infer Item)[]
    ? Wire<Item>[]
    : T extends object
      ? { [Key in keyof T]: Wire<T[Key]> }
      : T;

/** `Wire`, with the metadata that every object read from the API server carries. */
export type WireObject<T> = Omit<Wire<T>, 'metadata'> & KubeObject;

/** What the runtime needs of a logger; a pino logger is one. */
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

/**
 * Formats a time as a Kubernetes MicroTime: RFC 3339 in UTC with exactly six
 * fractional digits. Leases and events refuse the three digits `toISOString` gives.
 */
export function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
