/** Reads a collection in pages of bounded size: the size of the objects may be up to others. */
import { AnswerTooLargeError } from './api-error.ts';
import type { KubeApi, KubeRequest, Query } from './client.ts';

export interface ListPage<T> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  /** Null in an empty PartialObjectMetadataList. */
  readonly items: readonly T[] | null;
  /** Size of the response. */
  readonly bytes: number;
}

export interface ListRequest extends Pick<KubeRequest, 'accept' | 'path' | 'signal'> {
  readonly query?: Query;
  /** Objects per page. */
  readonly pageSize: number;
  /** A larger page is requested again with fewer objects; one object may have more. */
  readonly pageBytes: number;
}

/**
 * The pages in sequence. A list without a resourceVersion in the query is a consistent read, never a stale cache.
 *
 * @throws as the client does
 */
export async function* listPages<T>(
  client: KubeApi,
  { query, pageBytes, pageSize, ...call }: ListRequest,
): AsyncGenerator<ListPage<T>, void, undefined> {
  let limit = pageSize;
  let next: string | undefined;
  for (;;) {
    let page: ListPage<T>;
    let bytes = 0;
    try {
      page = await client.request<ListPage<T>>({
        method: 'GET',
        ...call,
        query: { ...query, limit, continue: next },
        ...(limit > 1 && { maxBytes: pageBytes }),
        received: (some) => {
          bytes += some;
        },
      });
    } catch (error) {
      if (limit === 1 || !(error instanceof AnswerTooLargeError)) throw error;
      limit = Math.ceil(limit / 4);
      continue;
    }
    yield { ...page, bytes };
    next = page.metadata.continue;
    if (next === undefined || next === '') return;
    if (bytes < pageBytes / 4) limit = Math.min(limit * 2, pageSize);
  }
}
