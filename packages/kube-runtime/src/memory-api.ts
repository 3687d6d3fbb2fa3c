/**
 * The Kubernetes API as objects in memory, for programs and tests without a server: the requests and watches of a
 * client, with uids, resource versions, conflicts, selectors, finalizers and the subresource `status`. It has no rights,
 * no schemas besides those of `admit`, no pages, no garbage collection and no controllers.
 */
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { ApiError } from './api-error.ts';
import type { KubeApi, KubeRequest, RequestObserver, WatchEvent, WatchRequest } from './client.ts';
import type { KubeObject, ObjectMeta } from './kube-types.ts';
import { selects } from './selector.ts';

/** Changes that a watch can continue from; before that it is 410 Gone. */
const LOG_LENGTH = 1000;

/** A collection, and an object or subresource in it. */
interface Place {
  /** Path up to the plural, without the namespace: `/api/v1/pods`. */
  readonly type: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

interface Stored extends KubeObject {
  spec?: unknown;
  status?: unknown;
}

/** Each change; `before` and `after` of an object, undefined if there is none. */
interface Change {
  readonly version: number;
  readonly place: Place;
  readonly before: Stored | undefined;
  readonly after: Stored | undefined;
}

/**
 * Called before an object is stored. Returns it with defaults.
 * @param before undefined: it is created
 * @throws Invalid with what is wrong
 */
export type Admit = (object: KubeObject, before: KubeObject | undefined) => KubeObject;

/** An object that the API refuses with 422. */
export class Invalid extends Error {}

export class MemoryApi implements KubeApi {
  readonly host = 'localhost';
  readonly warning = undefined;
  readonly #objects = new Map<string, { readonly place: Place; readonly object: Stored }>();
  readonly #changes: Change[] = [];
  /** Resolves with the next change. */
  #next = Promise.withResolvers<void>();
  #version = 0;
  readonly #admit: Admit;
  #observer: RequestObserver = () => undefined;
  readonly #closed = new AbortController();

  /** @param admit default: everything is stored as it comes */
  constructor(admit: Admit = (object) => object) {
    this.#admit = admit;
  }

  observe(observer: RequestObserver): void {
    this.#observer = observer;
  }

  /** Ends all watches. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('the API is closed'));
  }

  async request<T = unknown>(request: KubeRequest): Promise<T> {
    const { method, path, signal } = request;
    signal?.throwIfAborted();
    // A reply takes a turn, as over a connection.
    await setImmediate();
    signal?.throwIfAborted();
    try {
      const answer = structuredClone(this.#answer(request));
      this.#observer(method, 200);
      return answer as T;
    } catch (error) {
      const refused =
        error instanceof Invalid ? refusal(`${method} ${path}`, 422, 'Invalid', error.message) : error;
      this.#observer(method, refused instanceof ApiError ? refused.status : undefined);
      throw refused;
    }
  }

  async *watch<T extends KubeObject>({
    path,
    query = {},
    signal,
    timeoutMs,
  }: WatchRequest): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const place = placeOf(path);
    const isSelected = selects(query);
    const seconds = Number(query['timeoutSeconds'] ?? Number.POSITIVE_INFINITY);
    const end = AbortSignal.timeout(Math.min(timeoutMs, seconds * 1000, 2 ** 31 - 1));
    const stop = AbortSignal.any([signal, end, this.#closed.signal]);
    const stopped = new Promise<void>((resolve) => {
      stop.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#observer('GET', 200);
    let at = Number(query['resourceVersion'] || 0);
    if (at === 0) {
      at = this.#version;
      for (const object of this.#in(place).filter(isSelected)) yield eventOf('ADDED', object);
    }
    while (!stop.aborted) {
      const [first] = this.#changes;
      if (first && first.version > at + 1 && this.#changes.length === LOG_LENGTH)
        throw refusal(`WATCH ${path}`, 410, 'Expired', 'too old resource version');
      const next = this.#next.promise;
      for (const change of this.#changes.filter(({ version }) => version > at)) {
        at = change.version;
        const type = isWithin(change.place, place) ? typeOf(change, isSelected) : undefined;
        const { after, before } = change;
        // An object that no longer is selected is reported as it was when it still was.
        const object = type === 'DELETED' ? before : after;
        if (type && object) yield eventOf(type, withVersion(object, at));
      }
      await Promise.race([next, stopped]);
    }
    signal.throwIfAborted();
  }

  #answer({ body, contentType = '', method, path, query = {} }: KubeRequest): unknown {
    const place = placeOf(path);
    const refuse = (status: number, reason: string, message: string): never => {
      throw refusal(`${method} ${path}`, status, reason, message);
    };
    if (place.name === undefined) {
      if (method === 'POST') return this.#create(place, body as Stored, refuse);
      const items = this.#in(place).filter(selects(query));
      return { kind: 'List', metadata: { resourceVersion: String(this.#version) }, items };
    }
    const before = this.#objects.get(keyOf(place))?.object;
    const isApply = method === 'PATCH' && contentType.startsWith('application/apply-patch');
    if (!before && isApply && place.subresource === undefined) {
      return this.#create(place, body as Stored, refuse);
    }
    if (!before) return refuse(404, 'NotFound', `${place.type} "${place.name}" not found`);
    if (method === 'GET') return before;
    this.#guard(before, body, refuse);
    if (method === 'DELETE') return this.#remove(place, before);
    const change = body as Stored;
    if (method === 'PUT') return this.#change(place, before, change);
    const patched = isApply ? applied(before, change) : (merged(before, change) as Stored);
    return this.#change(place, before, patched);
  }

  #create(place: Place, body: Stored, refuse: Refuse): Stored {
    const { name } = body.metadata;
    const at = { ...place, name };
    if (this.#objects.has(keyOf(at))) refuse(409, 'AlreadyExists', `${place.type} "${name}" already exists`);
    const metadata = {
      ...body.metadata,
      ...(place.namespace !== undefined && { namespace: place.namespace }),
      uid: randomUUID(),
      generation: 1,
      creationTimestamp: now(),
    };
    return this.#store(at, undefined, this.#admit({ ...structuredClone(body), metadata }, undefined));
  }

  #change(place: Place, before: Stored, patched: Stored): Stored {
    // A write of the object leaves its status, and a write of the status all else.
    const { status, ...rest } =
      place.subresource === 'status' ? { ...before, status: patched.status } : patched;
    const kept = place.subresource === undefined ? before.status : status;
    const { creationTimestamp, deletionTimestamp, generation = 1, namespace, uid } = before.metadata;
    const isChanged = !isDeepStrictEqual(rest.spec, before.spec);
    const metadata = {
      ...rest.metadata,
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(creationTimestamp !== undefined && { creationTimestamp }),
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      generation: isChanged ? generation + 1 : generation,
    };
    const after = this.#admit({ ...rest, metadata, ...(kept !== undefined && { status: kept }) }, before);
    if (deletionTimestamp !== undefined && !after.metadata.finalizers?.length)
      return this.#store(place, before, undefined);
    // A write that changes nothing is no change.
    const version = before.metadata.resourceVersion;
    const same = { ...after, metadata: { ...after.metadata, resourceVersion: version } };
    return isDeepStrictEqual(same, before) ? before : this.#store(place, before, after);
  }

  #remove(place: Place, before: Stored): Stored {
    if (!before.metadata.finalizers?.length) return this.#store(place, before, undefined);
    if (before.metadata.deletionTimestamp !== undefined) return before;
    return this.#store(place, before, {
      ...before,
      metadata: { ...before.metadata, deletionTimestamp: now() },
    });
  }

  /** Stores or, without `after`, removes an object, and tells the watches. Returns the last version of it. */
  #store(place: Place, before: Stored | undefined, after: Stored | undefined): Stored {
    this.#version += 1;
    const object = withVersion((after ?? before) as Stored, this.#version);
    const key = keyOf(place);
    if (after) this.#objects.set(key, { place, object });
    else this.#objects.delete(key);
    const change = after ? { before, after: object } : { before: object, after: undefined };
    this.#changes.push({ version: this.#version, place, ...change });
    if (this.#changes.length > LOG_LENGTH) this.#changes.shift();
    const next = this.#next;
    this.#next = Promise.withResolvers();
    next.resolve();
    return object;
  }

  /** A write that names another uid or version than the stored one is a conflict. */
  #guard({ metadata }: Stored, body: unknown, refuse: Refuse): void {
    const { metadata: given, preconditions } = (body ?? {}) as {
      readonly metadata?: ObjectMeta;
      readonly preconditions?: Pick<ObjectMeta, 'resourceVersion' | 'uid'>;
    };
    const { resourceVersion, uid } = preconditions ?? given ?? {};
    const isOther = (value: string | undefined, stored: string | undefined): boolean =>
      value !== undefined && value !== stored;
    if (isOther(uid, metadata.uid)) refuse(409, 'Conflict', `uid ${uid} is not ${metadata.uid}`);
    if (isOther(resourceVersion, metadata.resourceVersion))
      refuse(409, 'Conflict', 'the object has been modified since it was read');
  }

  #in(place: Place): Stored[] {
    const all = [...this.#objects.values()];
    return all.filter((each) => isWithin(each.place, place)).map(({ object }) => object);
  }
}

type Refuse = (status: number, reason: string, message: string) => never;

function withVersion(object: Stored, version: number): Stored {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}

function refusal(request: string, status: number, reason: string, message: string): ApiError {
  return new ApiError(request, status, { code: status, reason, message });
}

/** Takes a path apart: `/api/v1/namespaces/shop/pods/a/status`. */
function placeOf(path: string): Place {
  const [, api, ...words] = path.split('/').map(decodeURIComponent);
  const versions = words.splice(0, api === 'api' ? 1 : 2);
  const namespace = words[0] === 'namespaces' && words.length > 2 ? words.splice(0, 2)[1] : undefined;
  const [plural, name, subresource] = words;
  return { type: ['', api, ...versions, plural].join('/'), namespace, name, subresource };
}

function keyOf({ name, namespace, type }: Place): string {
  return JSON.stringify([type, namespace, name]);
}

function isWithin(place: Place, { namespace, type }: Place): boolean {
  return place.type === type && (namespace === undefined || place.namespace === namespace);
}

/** What a watch with a selector sees of a change; undefined: nothing. */
function typeOf(
  { after, before }: Change,
  isSelected: (object: KubeObject) => boolean,
): 'ADDED' | 'DELETED' | 'MODIFIED' | undefined {
  const was = before !== undefined && isSelected(before);
  const is = after !== undefined && isSelected(after);
  if (is) return was ? 'MODIFIED' : 'ADDED';
  return was ? 'DELETED' : undefined;
}

function eventOf<T extends KubeObject>(
  type: 'ADDED' | 'DELETED' | 'MODIFIED',
  object: KubeObject,
): WatchEvent<T> {
  return { type, object: structuredClone(object) as T };
}

/** Server-side apply by the only writer of these members: they are replaced, and metadata is merged. */
function applied(before: Stored, { metadata, ...members }: Stored): Stored {
  return { ...before, ...members, metadata: merged(before.metadata, metadata) as ObjectMeta };
}

/** A merge patch, by RFC 7396. */
function merged(before: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result = new Map(Object.entries(isObject(before) ? before : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else if (value !== undefined) result.set(name, merged(result.get(name), value));
  }
  return Object.fromEntries(result);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** In whole seconds, as the API server writes it. */
function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
