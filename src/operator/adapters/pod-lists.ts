/**
 * Lists pods within bounds: a pod may have more than a megabyte, and how many
 * there are of what size is up to a tenant. Lists are read in small pages, of
 * which only what subjects read is kept, and only a few at once in this process, so
 * many of one namespace, and each within a time.
 */

import type { KubeClient } from '../../kube/client.ts';
import { GroupLimit } from '../../kube/group-limit.ts';
import { listPages } from '../../kube/list-pages.ts';
import { resourcePath } from '../../kube/resource-path.ts';
import { ListTooLargeError, type Pod } from '../../subjects/cluster.ts';
import { slimPod } from './slim-pod.ts';

/** Pods of a page, fewer if they are large: four pages show that there are more than 200. */
const PAGE_PODS = 51;
/** A page with more bytes is asked for again with fewer pods; one pod alone may have more. */
const PAGE_BYTES = 2 * 1024 * 1024;
/** Bytes that the pages of one list may have in all: 200 pods of 80 KiB. */
const MOST_LIST_BYTES = 16 * 1024 * 1024;
/** For a whole list, in milliseconds. */
const LIST_WITHIN_MS = 10_000;
/** Lists read at once, in all and of one namespace. */
const AT_ONCE = { most: 3, mostByGroup: 2 };
/** Those that are timed, besides. */
const TIMED_AT_ONCE = { most: 2, mostByGroup: 1 };

/** What to list. */
export interface PodQuery {
  readonly namespace: string;
  /** '' for all. */
  readonly labelSelector: string;
  /** Left out: all. */
  readonly fieldSelector?: string;
  /** More pods than this are too many. */
  readonly most: number;
  /** Whether only their metadata is asked for: the rest is not even sent. */
  readonly metadataOnly?: boolean;
  /** Whether a fault waits for it: then no list waits before it that is not timed as well. */
  readonly timed?: boolean;
  /** For the whole list once it is its turn, in milliseconds; default: 10 s. */
  readonly withinMs?: number;
}

/** Reads lists of pods from an API server. */
export class PodLists {
  readonly #client: KubeClient;
  readonly #usual = new GroupLimit(AT_ONCE);
  readonly #timed = new GroupLimit(TIMED_AT_ONCE);

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /**
   * All of these pods, slim; 'TooMany' where there are more than `most`.
   * @throws {ListTooLargeError} more bytes than a list may have
   * @throws what the client throws
   */
  list(query: PodQuery, signal: AbortSignal): Promise<readonly Pod[] | 'TooMany'> {
    const limit = query.timed ? this.#timed : this.#usual;
    return limit.run(query.namespace, signal, async () => await this.#read(query, signal));
  }

  async #read(
    { fieldSelector, labelSelector, metadataOnly = false, most, namespace, withinMs }: PodQuery,
    signal: AbortSignal,
  ): Promise<readonly Pod[] | 'TooMany'> {
    const pods: Pod[] = [];
    let total = 0;
    const pages = listPages<Pod>(this.#client, {
      path: resourcePath({ group: '', version: 'v1', plural: 'pods' }, { namespace }),
      query: { labelSelector, fieldSelector },
      ...(metadataOnly && { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' }),
      // One more than there may be tells that there are too many.
      pageSize: Math.min(PAGE_PODS, most + 1),
      pageBytes: PAGE_BYTES,
      signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs ?? LIST_WITHIN_MS)]),
    });
    for await (const { bytes, items } of pages) {
      total += bytes;
      if (total > MOST_LIST_BYTES) throw new ListTooLargeError(pods.length, MOST_LIST_BYTES);
      pods.push(...(items ?? []).map(slimPod));
      if (pods.length > most) return 'TooMany';
    }
    return pods;
  }
}
