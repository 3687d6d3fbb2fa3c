/**
 * Lists pods within bounds: a pod may have more than a megabyte, and how many
 * there are of what size is up to a tenant. Lists are read in small pages, of
 * which only what subjects read is kept, and only a few at once in this process, so
 * many of one namespace, and each within a time.
 */

import { AnswerTooLargeError } from '../../kube/api-error.ts';
import type { KubeClient } from '../../kube/client.ts';
import { GroupLimit } from '../../kube/group-limit.ts';
import { resourcePath } from '../../kube/resource-path.ts';
import { ListTooLargeError, type Pod } from '../../subjects/cluster.ts';
import { slimPod } from './slim-pod.ts';

/** Pods of a page; fewer where they are large. */
const PAGE_PODS = 50;
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

interface PodPage {
  readonly metadata: { readonly continue?: string };
  /** Null in an empty PartialObjectMetadataList. */
  readonly items: readonly Pod[] | null;
}

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

  async #read(query: PodQuery, signal: AbortSignal): Promise<readonly Pod[] | 'TooMany'> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(query.withinMs ?? LIST_WITHIN_MS)]);
    const pods: Pod[] = [];
    let usual = PAGE_PODS;
    let next: string | undefined;
    let bytes = 0;
    for (;;) {
      let length = 0;
      const received = (some: number): void => {
        length += some;
      };
      // One more than there may be tells that there are too many. That there are more objects does not: they may not match.
      const left = query.most - pods.length + 1;
      const limit = left <= usual || (usual > 1 && left === usual + 1) ? left : usual;
      const page = await this.#page(query, limit, next, received, deadline);
      if (page === undefined) {
        usual = Math.ceil(limit / 4);
        continue;
      }
      bytes += length;
      if (bytes > MOST_LIST_BYTES) throw new ListTooLargeError(pods.length, MOST_LIST_BYTES);
      pods.push(...(page.items ?? []).map(slimPod));
      next = page.metadata.continue;
      if (pods.length > query.most) return 'TooMany';
      if (next === undefined || next === '') return pods;
    }
  }

  /** Undefined where it has too many bytes and could have fewer pods. */
  async #page(
    { fieldSelector, labelSelector, metadataOnly = false, namespace }: PodQuery,
    limit: number,
    next: string | undefined,
    received: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<PodPage | undefined> {
    try {
      return await this.#client.request<PodPage>({
        method: 'GET',
        path: resourcePath({ group: '', version: 'v1', plural: 'pods' }, { namespace }),
        query: { labelSelector, fieldSelector, limit, continue: next },
        ...(metadataOnly && { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' }),
        ...(limit > 1 && { maxBytes: PAGE_BYTES }),
        received,
        signal,
      });
    } catch (error) {
      if (limit === 1 || !(error instanceof AnswerTooLargeError)) throw error;
      return undefined;
    }
  }
}
