/**
 * A cache of the objects of one kind, kept current by a reflector, with change notifications. A change missed by a
 * watch and found by a later list is reported like any other, deletions included.
 */
import { type KubeObject, type Logger, objectKey } from './kube-types.ts';

/** A change of an object. Objects are shared: treat them as read-only. */
export interface StoreEvent<T> {
  type: 'added' | 'updated' | 'deleted';
  object: T;
}

/** Called synchronously; errors are logged and do not affect other handlers. */
export type StoreHandler<T> = (event: StoreEvent<T>) => void;

/** Objects by `namespace/name`. */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #handlers = new Set<StoreHandler<T>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The object with this key as last seen. */
  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  /** All objects, in no particular order. */
  list(): T[] {
    return [...this.#objects.values()];
  }

  /**
   * Calls `handler` for every change from now on, after an `added` for each object already in the store. Returns a
   * function that ends the subscription.
   */
  subscribe(handler: StoreHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.list()) this.#call(handler, { type: 'added', object });
    return () => this.#handlers.delete(handler);
  }

  /** Stores an object that was added or modified. */
  put(object: T): void {
    const key = objectKey(object);
    const previous = this.#objects.get(key);
    if (previous && sameVersion(previous, object)) return;
    const isKnown = previous?.metadata.uid === object.metadata.uid;
    // Deleted and recreated under the same name, without a deletion event.
    if (previous && !isKnown) this.remove(previous);
    this.#objects.set(key, object);
    this.#emit({ type: previous && isKnown ? 'updated' : 'added', object });
  }

  /** Removes an object that was deleted or left the selector; `object` is its last state before that. */
  remove(object: T): void {
    if (this.#objects.delete(objectKey(object))) this.#emit({ type: 'deleted', object });
  }

  /** Makes the store equal to a complete list, reporting each difference. */
  replace(objects: readonly T[]): void {
    const present = new Set(objects.map(objectKey));
    for (const [key, object] of this.#objects) {
      if (!present.has(key)) this.remove(object);
    }
    for (const object of objects) this.put(object);
  }

  #emit(event: StoreEvent<T>): void {
    for (const handler of this.#handlers) this.#call(handler, event);
  }

  #call(handler: StoreHandler<T>, event: StoreEvent<T>): void {
    try {
      handler(event);
    } catch (error) {
      const fields = { err: error, event: event.type, key: objectKey(event.object) };
      this.#logger.error(fields, 'a handler of object changes threw; the change is lost to it');
    }
  }
}

function sameVersion(a: KubeObject, b: KubeObject): boolean {
  return (
    a.metadata.resourceVersion !== undefined && a.metadata.resourceVersion === b.metadata.resourceVersion
  );
}
