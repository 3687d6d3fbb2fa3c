/** Sends single requests to an API, to find out how it limits its callers. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Agent } from 'undici';
import { messageOf } from '../../api/index.ts';

import { UsageError } from '../../settings/settings.ts';
import type { CountedRequest } from './manifest.ts';

/** What an answer shows. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** When it arrived; milliseconds since the epoch. */
  readonly at: number;
}

/** One instance of an API. */
export interface Endpoint {
  /** `http://127.0.0.1:3000` */
  readonly origin: string;
  /** What to check if there is no answer. */
  readonly advice: string;
  /** Opens a connection. Default: TCP. */
  readonly open?: () => Promise<Duplex>;
}

/** Answers are only read to keep the connection. */
const MOST_BODY_BYTES = 1_000_000;
const TIMEOUT_MS = 5_000;
const MOST_HEADER_BYTES = 16_384;

/** Requests to one instance. */
export class ApiClient {
  readonly #agent: Agent;
  readonly #endpoint: Endpoint;
  /** Ends all requests. */
  readonly signal: AbortSignal;

  constructor(endpoint: Endpoint, signal: AbortSignal) {
    const { open } = endpoint;
    this.#endpoint = endpoint;
    this.signal = signal;
    this.#agent = new Agent({
      connections: 1,
      maxHeaderSize: MOST_HEADER_BYTES,
      maxResponseSize: MOST_BODY_BYTES,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      ...(open && {
        connect: (_, done) =>
          void open().then(
            // Of a socket, the agent uses only what a stream has.
            (stream) => done(null, stream as Socket),
            (error: Error) => done(error, null),
          ),
      }),
    });
  }

  /** @throws UsageError if there is no answer, with what to check */
  async send({ body, headers, method, path }: CountedRequest): Promise<Answer> {
    const { advice, origin } = this.#endpoint;
    const url = `${origin}${path}`;
    try {
      const answer = await this.#agent.request({
        origin,
        path,
        method,
        headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
        body: body ?? null,
        signal: this.signal,
      });
      const at = Date.now();
      await answer.body.dump({ limit: MOST_BODY_BYTES });
      const entries = Object.entries(answer.headers).flatMap(([name, value]): [string, string][] =>
        [value ?? []].flat().map((each) => [name, each]),
      );
      return { status: answer.statusCode, headers: new Headers(entries), at };
    } catch (error) {
      this.signal.throwIfAborted();
      throw new UsageError(`${method} ${url}: no answer: ${messageOf(error)}. ${advice}`);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
