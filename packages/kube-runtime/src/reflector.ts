/**
 * Keeps a store equal to a collection on the API server: list, then watch, and continue after any failure. Only its
 * signal ends it.
 *
 * - The watch ends (the server does so every few minutes): watch again from the last resource version seen, bookmarks
 *   included.
 * - 410 Gone, as a response or as an event: list again.
 * - Any other failure: wait (exponential backoff with jitter, or Retry-After), watch again; after a few in a row list
 *   again, since the resource version itself may be the cause (as after etcd was restored from a backup).
 * - Silence: the watch is cut and restarted. The API server sends a bookmark about every minute, so silence well beyond
 *   that means a dead connection.
 */

import { ApiError, isGone } from './api-error.ts';
import type { KubeApi, Query } from './client.ts';
import { abortable } from './fair/abortable.ts';
import type { KubeObject, Logger } from './kube-types.ts';
import { type ListPage, listPages } from './list-pages.ts';
import { slim } from './slim.ts';
import type { Store } from './store.ts';
import { type BackoffOptions, backoffDelay, sleep } from './wait.ts';

/** Times in milliseconds. */
export interface ReflectorOptions<T extends KubeObject> {
  client: KubeApi;
  /** Path of the collection (see `resourcePath`). */
  path: string;
  labelSelector?: string;
  fieldSelector?: string;
  store: Store<T>;
  logger: Logger;
  /** Annotations to keep in the store; for other metadata see `slim`. Default: none. */
  annotations?: readonly string[];
  /** Objects per page of a list; fewer if they are large. Default 50. */
  pageSize?: number;
  /** A larger page is requested again with fewer objects; one object may have more. Default 2 MiB. */
  pageBytes?: number;
  /** Default: 0.5 s, doubling to 30 s. */
  backoff?: BackoffOptions;
}

/** The server is requested to end a watch after this long to twice this long; milliseconds. */
const watchMs = 300_000;
/** A watch that lives this much longer than requested is cut; milliseconds. */
const graceMs = 30_000;
/** A watch without any byte for this long is cut: three bookmarks; milliseconds. */
const idleTimeoutMs = 180_000;
/** After each of this many failures in a row without an event, list again. */
const failuresUntilRelist = 4;
/** A watch that ended this soon, without an event, counts as failed, or it would spin. */
const shortestWatchMs = 1000;

/** Runs the list and watch loop of one collection. */
export class Reflector<T extends KubeObject> {
  readonly #options: Required<Omit<ReflectorOptions<T>, 'labelSelector' | 'fieldSelector'>>;
  readonly #selectors: Query;
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;
  #resourceVersion: string | undefined;
  /** In a row, without an event. */
  #failures = 0;

  constructor(options: ReflectorOptions<T>) {
    const backoff = { baseMs: 500, maxMs: 30_000 };
    const defaults = { annotations: [], pageSize: 50, pageBytes: 2 * 1024 * 1024, backoff };
    this.#options = { ...defaults, ...options };
    this.#selectors = { labelSelector: options.labelSelector, fieldSelector: options.fieldSelector };
  }

  /** Whether the store has held a complete list at least once. */
  hasSynced(): boolean {
    return this.#hasSynced;
  }

  /**
   * Resolves once the store has held a complete list.
   *
   * @throws the signal's reason, if it aborts first.
   */
  waitForSync(signal: AbortSignal): Promise<void> {
    return abortable(this.#synced.promise, signal);
  }

  /** Reflects until `signal` aborts, then resolves; never rejects. Call it once. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#step(signal);
      } catch (error) {
        if (signal.aborted) return;
        const delayMs = this.#afterFailure(error);
        await sleep(delayMs, signal).catch(() => {});
      }
    }
  }

  /** One list if there is none to continue from, and one watch. */
  async #step(signal: AbortSignal): Promise<void> {
    if (this.#resourceVersion === undefined) {
      const { objects, resourceVersion } = await this.#list(signal);
      this.#options.store.replace(objects);
      this.#resourceVersion = resourceVersion;
      this.#hasSynced = true;
      this.#synced.resolve();
    }
    await this.#watch(signal);
  }

  async #list(signal: AbortSignal): Promise<{ objects: T[]; resourceVersion: string }> {
    const { annotations, client, pageBytes, pageSize, path } = this.#options;
    const objects: T[] = [];
    let resourceVersion = '';
    const request = { path, query: this.#selectors, pageBytes, pageSize, signal };
    for await (const page of listPages<T>(client, request)) {
      const type = itemType(page);
      for (const item of page.items ?? []) objects.push(slim({ ...type, ...item }, annotations));
      resourceVersion = page.metadata.resourceVersion ?? '';
    }
    return { objects, resourceVersion };
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, path, annotations, store, backoff } = this.#options;
    const requestedMs = watchMs * (1 + (backoff.random ?? Math.random)());
    const query = {
      ...this.#selectors,
      resourceVersion: this.#resourceVersion,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.max(1, Math.round(requestedMs / 1000)),
    };
    const startedAt = performance.now();
    let hadEvent = false;
    const request = { path, query, signal, timeoutMs: requestedMs + graceMs, idleTimeoutMs };
    for await (const event of client.watch<T>(request)) {
      hadEvent = true;
      this.#failures = 0;
      if (event.type === 'DELETED') store.remove(slim(event.object, annotations));
      else if (event.type !== 'BOOKMARK') store.put(slim(event.object, annotations));
      this.#resourceVersion = event.object.metadata.resourceVersion;
    }
    if (!hadEvent && performance.now() - startedAt < shortestWatchMs) {
      throw new Error('the API server ended the watch at once, without an event');
    }
    this.#failures = 0;
  }

  /** Decides from which resource version to continue; returns the delay. */
  #afterFailure(error: unknown): number {
    const { backoff, logger, path } = this.#options;
    const delayMs = Math.round(backoffDelay(this.#failures, backoff));
    this.#failures += 1;
    if (isGone(error)) {
      this.#resourceVersion = undefined;
      logger.debug({ path, delayMs }, 'the resource version expired; listing again');
      return delayMs;
    }
    if (this.#failures % failuresUntilRelist === 0) this.#resourceVersion = undefined;
    const retryAfterMs = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const waitMs = Math.max(delayMs, Math.min(retryAfterMs, backoff.maxMs));
    const doing = this.#resourceVersion === undefined ? 'list' : 'watch';
    logger.warn(
      { err: error, path, delayMs: waitMs, next: doing },
      'lost track of the API server; will try again',
    );
    return waitMs;
  }
}

/** The items of a list carry neither apiVersion nor kind; those of a watch do. */
function itemType<T>(list: ListPage<T>): { apiVersion?: string; kind?: string } {
  if (list.apiVersion === undefined || list.kind === undefined) return {};
  return { apiVersion: list.apiVersion, kind: list.kind.replace(/List$/, '') };
}
