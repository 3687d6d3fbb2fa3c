/** Sends single requests to an API on this machine, to find out how it limits its callers. */
import { Agent, request as send } from 'undici';
import { messageOf } from '../../api/index.ts';
import type { Address } from '../../local/own-api.ts';
import { UsageError } from '../../settings/settings.ts';
import type { CountedRequest } from './manifest.ts';

/** What an answer shows. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** When it arrived; milliseconds since the epoch. */
  readonly at: number;
}

/** Answers are only read to keep the connection. */
const MOST_BODY_BYTES = 1_000_000;
const TIMEOUT_MS = 5_000;
const MOST_HEADER_BYTES = 16_384;

/** Requests to one instance. */
export class ApiClient {
  readonly #agent = new Agent({
    connections: 1,
    maxHeaderSize: MOST_HEADER_BYTES,
    maxResponseSize: MOST_BODY_BYTES,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  readonly #origin: string;
  readonly #signal: AbortSignal;

  constructor({ host, port }: Address, signal: AbortSignal) {
    this.#origin = `http://${host}:${port}`;
    this.#signal = signal;
  }

  /** @throws UsageError if there is no answer, with what to check */
  async send({ body, headers, method, path }: CountedRequest): Promise<Answer> {
    const url = `${this.#origin}${path}`;
    try {
      const answer = await send(url, {
        dispatcher: this.#agent,
        method: method as 'GET',
        headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
        body: body ?? null,
        signal: this.#signal,
      });
      const at = Date.now();
      await answer.body.dump({ limit: MOST_BODY_BYTES });
      const entries = Object.entries(answer.headers).flatMap(([name, value]): [string, string][] =>
        [value ?? []].flat().map((each) => [name, each]),
      );
      return { status: answer.statusCode, headers: new Headers(entries), at };
    } catch (error) {
      this.#signal.throwIfAborted();
      throw new UsageError(
        `${method} ${url}: no answer: ${messageOf(error)}. Check the address, and that it works with curl`,
      );
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
