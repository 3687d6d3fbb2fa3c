/** A client for the Kubernetes API: typed JSON requests and watches with deadlines, over a few pooled connections. */
import type { KubeConfig } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import {
  AnswerTooLargeError,
  ApiError,
  ApiUnreachableError,
  type KubeStatus,
  statusIn,
} from './api-error.ts';
import { abortable } from './fair/abortable.ts';
import type { KubeObject } from './kube-types.ts';
import { Transport, warningOf } from './transport.ts';

/** Values of the query string; undefined ones are omitted. */
export type Query = Record<string, string | number | boolean | undefined>;

export interface KubeRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path starting with `/api` or `/apis`, already encoded (see `resourcePath`). */
  path: string;
  query?: Query;
  /** Sent as JSON. */
  body?: unknown;
  /** Default `application/json`; a PATCH sets the kind of patch here. */
  contentType?: string;
  signal?: AbortSignal | undefined;
  /** From the call to the last byte of the response, in milliseconds. Default: the client's. */
  timeoutMs?: number;
  /** A larger response is an error, and not read to its end. Default 32 MiB. */
  maxBytes?: number;
  /** Called with the number of bytes read of the response. */
  received?: (bytes: number) => void;
  /** Default `application/json`; a list may be requested as metadata only. */
  accept?: string;
}

export interface WatchRequest {
  /** Path of a collection. */
  path: string;
  /** Selectors, `resourceVersion`, `timeoutSeconds` and the like; `watch=true` is added. */
  query?: Query;
  signal: AbortSignal;
  /** The watch is cut if it has not ended after this many milliseconds. */
  timeoutMs: number;
  /** The watch is cut after this many milliseconds without a single byte. */
  idleTimeoutMs: number;
}

/** A change, or a bookmark that only advances the resource version. */
export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  | { type: 'BOOKMARK'; object: { metadata: { resourceVersion: string } } };

/** Called for every request once its outcome is known; without a status no response came. A watch is a GET. */
export type RequestObserver = (method: string, status?: number) => void;

/** All optional. */
export interface KubeClientOptions {
  /** Sent with every request, and visible in the API server's audit log. Default `kube-client`. */
  userAgent?: string;
  /** Default deadline of a request, in milliseconds. Default 30 000. */
  timeoutMs?: number;
  /** Connections for requests (watches are additional). Default 8. */
  connections?: number;
}

/** An API server: {@link KubeClient} is one over a network, `MemoryApi` one in memory. */
export interface KubeApi {
  /** Host name or address of the API server; without brackets for IPv6. */
  readonly host: string;
  /** Set if the connection to the API server is insecure. */
  readonly warning: string | undefined;
  /** Registers an observer of all later requests. Requests cancelled by their caller are not reported. */
  observe(observer: RequestObserver): void;
  /**
   * Sends a request and returns the JSON of the response (undefined for an empty one).
   *
   * @throws {ApiError} the server returned an error.
   * @throws {ApiUnreachableError} no response; a write may have happened all the same.
   * @throws {AnswerTooLargeError} more than `maxBytes`.
   * @throws the signal's reason, if it aborts first.
   */
  request<T = unknown>(request: KubeRequest): Promise<T>;
  /**
   * Streams the changes of a collection. Ends when the server ends the watch; returning from the loop or aborting the
   * signal closes the connection.
   *
   * @throws {ApiError} the server returned an error, or sent an ERROR event (410: list again).
   * @throws {ApiUnreachableError} the connection broke, or one of the two timeouts passed.
   * @throws the signal's reason, if it aborts.
   */
  watch<T extends KubeObject>(request: WatchRequest): AsyncGenerator<WatchEvent<T>, void, undefined>;
  /** Cuts all connections; requests in flight and later ones fail. */
  close(): Promise<void>;
}

/** In bytes. More than the largest object etcd takes (1.5 MiB by default), with room for raised limits. */
const longestAnswer = 32 * 1024 * 1024;

/** Talks to one API server as one user. */
export class KubeClient implements KubeApi {
  readonly #transport: Transport;
  readonly #userAgent: string;
  readonly warning: string | undefined;
  readonly #timeoutMs: number;
  #observer: RequestObserver = () => undefined;
  readonly host: string;

  constructor(config: KubeConfig, options: KubeClientOptions = {}) {
    this.host = new URL(config.getCurrentCluster()?.server ?? 'https://unknown').hostname.replace(
      /^\[|\]$/g,
      '',
    );
    this.#transport = new Transport(config, options.connections ?? 8);
    this.warning = warningOf(config);
    this.#userAgent = options.userAgent ?? 'kube-client';
    this.#timeoutMs = options.timeoutMs ?? 30_000;
  }

  observe(observer: RequestObserver): void {
    this.#observer = observer;
  }

  async request<T = unknown>(request: KubeRequest): Promise<T> {
    const { maxBytes = longestAnswer, method, path, received, signal, timeoutMs = this.#timeoutMs } = request;
    const name = `${method} ${path}`;
    const late = new AbortController();
    const timer = abortIn(late, timeoutMs, name, 'not finished within');
    const stop = AbortSignal.any([late.signal, ...(signal ? [signal] : [])]);
    try {
      const response = await this.#send('requests', request, stop);
      const text = await textOf(name, response.body, maxBytes, received);
      if (response.statusCode >= 300) throw refusal(name, response, text);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    } catch (error) {
      throw explain(name, error, stop);
    } finally {
      clearTimeout(timer);
    }
  }

  async *watch<T extends KubeObject>(request: WatchRequest): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { idleTimeoutMs, path, signal, timeoutMs } = request;
    const name = `WATCH ${path}`;
    const late = new AbortController();
    const whole = abortIn(late, timeoutMs, name, 'not ended after');
    let idle = abortIn(late, this.#timeoutMs, name, 'not begun within');
    const resetIdle = (): void => {
      clearTimeout(idle);
      idle = abortIn(late, idleTimeoutMs, name, 'silent for');
    };
    const stop = AbortSignal.any([late.signal, signal]);
    try {
      const query = { ...request.query, watch: true };
      const response = await this.#send('streams', { method: 'GET', path, query, signal }, stop);
      if (response.statusCode >= 300) {
        throw refusal(name, response, await textOf(name, response.body, longestAnswer));
      }
      resetIdle();
      for await (const line of lines(response.body, resetIdle)) yield parseEvent<T>(name, line);
    } catch (error) {
      throw explain(name, error, stop);
    } finally {
      clearTimeout(whole);
      clearTimeout(idle);
      // Also reached when the consumer leaves its loop early: the connection must not stay open then.
      late.abort(new Error(`${name}: closed`));
    }
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  /** Sends a request, and reports the status of its response, unless its caller has given it up. */
  async #send(
    pool: 'requests' | 'streams',
    { accept = 'application/json', method, path, query = {}, signal, ...content }: KubeRequest,
    deadline: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) search.set(name, String(value));
    const { body, contentType = 'application/json' } = content;
    try {
      const channel = await abortable(this.#transport.open(), deadline);
      const response = await channel[pool].request({
        origin: channel.origin,
        path: `${channel.basePath}${path}${search.size === 0 ? '' : `?${search.toString()}`}`,
        method,
        signal: deadline,
        // Our own deadlines apply; undici's would only add a second, coarser clock.
        headersTimeout: 0,
        bodyTimeout: 0,
        headers: {
          ...channel.headers,
          accept,
          'user-agent': this.#userAgent,
          ...(body !== undefined && { 'content-type': contentType }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      this.#observer(method, response.statusCode);
      return response;
    } catch (error) {
      if (!signal?.aborted) this.#observer(method);
      throw error;
    }
  }
}

/** Aborts in `ms` milliseconds, with what the request `name` has not done by then. */
function abortIn(late: AbortController, ms: number, name: string, text: string): NodeJS.Timeout {
  return setTimeout(() => late.abort(new ApiUnreachableError(name, 'TIMEOUT', `${text} ${ms} ms`)), ms);
}

function refusal(name: string, response: Dispatcher.ResponseData, text: string): ApiError {
  const header = Number(response.headers['retry-after']);
  const retryAfter = Number.isFinite(header) ? header : undefined;
  return new ApiError(name, response.statusCode, statusIn(text), retryAfter);
}

/** Converts every failure to one of the documented types. */
function explain(name: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const explained = [ApiError, ApiUnreachableError, AnswerTooLargeError];
  if (explained.some((type) => error instanceof type)) return error;
  if (error instanceof SyntaxError) return new ApiUnreachableError(name, 'BAD_JSON', error.message, error);
  const code = (error as { code?: unknown } | null)?.code;
  const text = error instanceof Error ? error.message : String(error);
  return new ApiUnreachableError(name, typeof code === 'string' ? code : 'FAILED', text, error);
}

/** Leaving the loop early ends the connection: the excess is not read. */
async function textOf(
  name: string,
  body: AsyncIterable<Buffer>,
  maxBytes: number,
  received?: (bytes: number) => void,
): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    received?.(chunk.length);
    if (length > maxBytes) throw new AnswerTooLargeError(name, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length).toString();
}

/** Splits a stream into its non-empty lines; `onData` runs for every chunk. */
async function* lines(
  body: AsyncIterable<Buffer>,
  onData: () => void,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let pending: string[] = [];
  let length = 0;
  for await (const chunk of body) {
    onData();
    let text = decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
      const line = pending.join('') + text.slice(0, end);
      pending = [];
      length = 0;
      text = text.slice(end + 1);
      if (line !== '') yield line;
    }
    pending.push(text);
    length += text.length;
    if (length > longestAnswer) throw new Error(`a watch event is longer than ${longestAnswer} bytes`);
  }
  // A line without its end is a torn event: the caller resumes from the last complete one.
}

function parseEvent<T extends KubeObject>(name: string, line: string): WatchEvent<T> {
  const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: KubeStatus };
  if (event.type === 'ERROR') throw new ApiError(name, event.object.code ?? 500, event.object);
  return event;
}
