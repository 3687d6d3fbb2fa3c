/**
 * Lists pods within bounds: a pod may have more than a megabyte, and their number and size are up to a tenant. Lists
 * are read in small pages, of which only the fields that subjects read are kept; only a few run at once in this process
 * and per namespace, each within a time limit.
 */

import { corePath, type KubeApi, listPages } from '@chaosdemo/kube-runtime';
import { GroupLimit } from '@chaosdemo/kube-runtime/fair';
import { MOST_LIST_BYTES, type Pod, podSchema } from '../../subjects/cluster.ts';

/** Pods per page, fewer if they are large: four pages show that there are more than 200. */
const PAGE_PODS = 51;
/** A larger page is requested again with fewer pods; a single pod may have more. */
const PAGE_BYTES = 2 * 1024 * 1024;
/** For a complete list, in milliseconds. */
const LIST_TIMEOUT_MS = 10_000;
/** Concurrent lists, in all and per namespace. */
const LIST_CONCURRENCY = { max: 3, maxPerGroup: 2 };
/** Additional slots for timed lists. */
const TIMED_LIST_CONCURRENCY = { max: 2, maxPerGroup: 1 };

export interface PodQuery {
  readonly namespace: string;
  /** '' for all. */
  readonly labelSelector: string;
  /** Default: all. */
  readonly fieldSelector?: string;
  /** Maximum number of pods. */
  readonly most: number;
  /** Whether a fault waits for it: then only timed lists are queued before it. */
  readonly timed?: boolean;
  /** For the complete list once it is its turn, in milliseconds; default: 10 s. */
  readonly withinMs?: number;
}

export class PodLists {
  readonly #client: KubeApi;
  readonly #usual = new GroupLimit(LIST_CONCURRENCY);
  readonly #timed = new GroupLimit(TIMED_LIST_CONCURRENCY);

  constructor(client: KubeApi) {
    this.#client = client;
  }

  /**
   * All of these pods, with the fields of the schema; 'TooMany' if there are more than `most`, or more bytes than a
   * list may have.
   * @throws what the client throws
   */
  list(query: PodQuery, signal: AbortSignal): Promise<readonly Pod[] | 'TooMany'> {
    const limit = query.timed ? this.#timed : this.#usual;
    return limit.run(query.namespace, signal, async () => await this.#read(query, signal));
  }

  async #read(
    { fieldSelector, labelSelector, most, namespace, withinMs }: PodQuery,
    signal: AbortSignal,
  ): Promise<readonly Pod[] | 'TooMany'> {
    const pods: Pod[] = [];
    let total = 0;
    const pages = listPages<Pod>(this.#client, {
      path: corePath('pods', { namespace }),
      query: { labelSelector, fieldSelector },
      // One more than allowed shows that there are too many.
      pageSize: Math.min(PAGE_PODS, most + 1),
      pageBytes: PAGE_BYTES,
      signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs ?? LIST_TIMEOUT_MS)]),
    });
    for await (const { bytes, items } of pages) {
      total += bytes;
      pods.push(...(items ?? []).map((item) => podSchema.parse(item)));
      if (total > MOST_LIST_BYTES || pods.length > most) return 'TooMany';
    }
    return pods;
  }
}
