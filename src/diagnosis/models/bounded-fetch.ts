/**
 * How a model's server is spoken to, as a `fetch` for the SDK: to the host of the profile alone, no redirect
 * followed, the answer bounded in bytes, certificates checked against the authorities of the profile.
 */
import type { Agent } from 'undici';

/** Bytes of an answer, at most: many times what any answer within its tokens takes. */
export const ANSWER_BYTES = 512 * 1024;

/** The server did what it must not do; not worth another attempt. The message says what. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code = 'MODEL_SERVER';
}

/** The part of `fetch` that SDKs use to ask one question. */
export type Fetch = typeof globalThis.fetch;

/**
 * A `fetch` over `agent`, which bounds the time to connect and trusts whom the profile trusts.
 * @param origin of the profile's baseURL; anything else is refused
 */
export function boundedFetch(agent: Agent, origin: string): Fetch {
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== origin) throw new ServerError(`asked for ${url.origin}, which is not of the profile`);
    const { body, headers, method, signal } = init;
    if (body !== undefined && body !== null && typeof body !== 'string') {
      throw new ServerError('a question is text');
    }
    const answer = await agent.request({
      origin,
      path: `${url.pathname}${url.search}`,
      method: method === 'GET' ? 'GET' : 'POST',
      headers: Object.fromEntries(new Headers(headers).entries()),
      body: body ?? null,
      signal: signal ?? null,
    });
    const bytes = await readBounded(answer.body);
    const { statusCode: status } = answer;
    if (status >= 300 && status < 400) {
      throw new ServerError(
        `answered ${status}, a redirect, and none is followed: write the URL that it leads to`,
      );
    }
    if (status < 200 || status === 204 || status === 205 || status > 599) {
      throw new ServerError(`answered ${status} and no content`);
    }
    // undici leaves a body as it came, so one that is packed is not unpacked: what looks small is small.
    const kept = ['content-type', 'retry-after', 'retry-after-ms', 'x-should-retry'].flatMap((name) => {
      const value = answer.headers[name];
      return typeof value === 'string' ? [[name, value] as [string, string]] : [];
    });
    return new Response(bytes, { status, headers: kept });
  };
}

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    // Leaving the loop ends the connection.
    if (size > ANSWER_BYTES) throw new ServerError(`answered with more than ${ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
