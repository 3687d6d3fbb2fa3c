/**
 * Speaks the HTTP interface of one node of the rate limiter. Answers are checked
 * and bounded: they come from somebody else's program.
 */
import { z } from 'zod';
import type { AnswerMemory } from '../../http/answer.ts';
import type { Dial } from '../../http/dial.ts';
import { type FailureCode, RequestError } from '../../http/failure.ts';
import { JSON_BYTES, parseJson } from '../../http/json-body.ts';
import { HttpPool } from '../../http/pool.ts';
import type { NodeTarget } from '../../target.ts';
import { fairTimeout } from '../../waiting.ts';
import { reasonOf } from './check-answer.ts';

/** Of an answer: a list of 200 nodes takes some 20 KiB. */
const LIST_BYTES = 64 * 1024;

const id = z.string().min(1).max(253);
const count = z.int().min(0);
const windowFields = { windowId: z.string().min(1).max(128), windowEndsAt: z.number() };

const nodesAnswer = z
  .array(z.object({ id, address: z.string().max(256), state: z.string().max(64) }))
  .max(1000)
  .describe('a list of nodes');
const healthAnswer = z.object({ redisConnected: z.boolean() }).describe('whether it reaches Redis');
const checkAnswer = z
  .object({ allowed: z.boolean(), ...windowFields })
  .describe('whether the request is allowed, and its window');
const limitAnswer = z.object({ limit: count, ...windowFields }).describe('a limit and its window');
const counterAnswer = z
  .object({ admitted: count, redisKey: z.string().min(1).max(512), ...windowFields })
  .describe('what was admitted, and its window');

export type NodesAnswer = z.infer<typeof nodesAnswer>;
export type CheckAnswer = z.infer<typeof checkAnswer>;
/** `windowEndsAt` is in milliseconds since the epoch by the clock of Redis. */
export type LimitAnswer = z.infer<typeof limitAnswer>;
export type CounterAnswer = z.infer<typeof counterAnswer>;

/**
 * What went wrong with a request. UNANSWERED: sent, perhaps acted upon, or yet to
 * be, and no answer came in time. BROKEN_OFF: sent, perhaps acted upon, and the
 * connection ended instead of an answer, on whichever side. UNREACHABLE: not sent, since the node took no connection. UNSENT:
 * not sent for another reason, which says nothing of the node. REFUSED: answered
 * with an error. INVALID: answered with something that is not of the interface.
 */
export type LimiterFailure = 'UNANSWERED' | 'BROKEN_OFF' | 'UNREACHABLE' | 'UNSENT' | 'REFUSED' | 'INVALID';

/** A request to a node failed; the message names the node, the request and the reason. */
export class LimiterClientError extends Error {
  readonly failure: LimiterFailure;
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;

  constructor(failure: LimiterFailure, message: string, status?: number) {
    super(message);
    this.name = 'LimiterClientError';
    this.failure = failure;
    this.status = status;
  }
}

/** Every method throws LimiterClientError, or the reason of `signal` once it is aborted. */
export class LimiterClient {
  readonly name: string;
  readonly #pool: HttpPool;
  readonly #timeoutMs: number;

  /**
   * @param connections requests that may be under way at once; further ones wait for their turn
   * @param memory for answers that come in parts; left out: as their bounds allow
   */
  constructor(node: NodeTarget, timeoutMs: number, connections: number, dial?: Dial, memory?: AnswerMemory) {
    this.name = node.name;
    this.#timeoutMs = timeoutMs;
    this.#pool = new HttpPool(node, connections, dial, memory);
  }

  /** All nodes as this one knows them. */
  async nodes(signal: AbortSignal): Promise<NodesAnswer> {
    return (await this.#request('GET', '/nodes', undefined, nodesAnswer, [200], signal, LIST_BYTES)).body;
  }

  /** Whether this node reaches its Redis. */
  async health(signal: AbortSignal): Promise<boolean> {
    const answer = await this.#request('GET', '/health', undefined, healthAnswer, [200, 503], signal);
    return answer.status === 200 && answer.body.redisConnected;
  }

  /** Asks for one request to be admitted. */
  async check(key: string, signal: AbortSignal): Promise<CheckAnswer> {
    const { status, body } = await this.#request('POST', '/check', { key }, checkAnswer, [200, 429], signal);
    if (body.allowed !== (status === 200)) {
      throw new LimiterClientError(
        'INVALID',
        `${this.name}: POST /check answered ${status} with allowed ${body.allowed}`,
        status,
      );
    }
    return body;
  }

  /** Defines a limit on a key, with a fresh window that starts now. */
  async define(key: string, limit: number, windowMs: number, signal: AbortSignal): Promise<LimitAnswer> {
    const body = { key, limit, window_sec: windowMs / 1000 };
    return (await this.#request('POST', '/limit', body, limitAnswer, [200, 201], signal)).body;
  }

  /** The limit of a key as this node knows it; undefined when it does not (yet). */
  async limit(key: string, signal: AbortSignal): Promise<LimitAnswer | undefined> {
    return await this.#unless404(
      this.#request('GET', `/limit?key=${encodeURIComponent(key)}`, undefined, limitAnswer, [200], signal),
    );
  }

  /**
   * What this node admitted in the key's window; undefined when it does not know the key. The node picks which
   * hash of Redis is read, so one that is not of `key` is an INVALID answer.
   */
  async counter(key: string, signal: AbortSignal): Promise<CounterAnswer | undefined> {
    const path = `/counter?key=${encodeURIComponent(key)}`;
    const answer = await this.#unless404(this.#request('GET', path, undefined, counterAnswer, [200], signal));
    if (answer !== undefined && !isOfKey(answer.redisKey, key)) {
      throw new LimiterClientError(
        'INVALID',
        `${this.name}: GET /counter names a redisKey that does not hold the key ${key}, so it was not read: a node has to name the hash of the very key that it was asked for`,
        200,
      );
    }
    return answer;
  }

  /** Removes a limit; returns whether there was one: a key that is not known is as good as removed. */
  async remove(key: string, signal: AbortSignal): Promise<boolean> {
    const path = `/limit?key=${encodeURIComponent(key)}`;
    const request = this.#request('DELETE', path, undefined, z.unknown(), [200, 204], signal);
    return await this.#unless404(request.then(() => ({ body: true }))).then((was) => was ?? false);
  }

  /** Ends every connection at once. */
  async close(): Promise<void> {
    this.#pool.close();
  }

  async #unless404<T>(request: Promise<{ body: T }>): Promise<T | undefined> {
    try {
      return (await request).body;
    } catch (error) {
      if (error instanceof LimiterClientError && error.status === 404) return undefined;
      throw error;
    }
  }

  async #request<T>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body: object | undefined,
    schema: z.ZodType<T>,
    expected: readonly number[],
    signal: AbortSignal,
    bodyBytes = JSON_BYTES,
  ): Promise<{ status: number; body: T }> {
    const what = `${this.name}: ${method} ${path.replace(/\?.*/, '')}`;
    const headers = { 'content-type': 'application/json' };
    const request = { method, path, ...(body && { body: JSON.stringify(body), headers }) };
    const timeout = fairTimeout(this.#timeoutMs);
    let status: number;
    let json: unknown;
    try {
      const called = AbortSignal.any([signal, timeout.signal]);
      const answer = await this.#pool.request(request, called, bodyBytes);
      status = answer.status;
      json = parseJson(answer.body, bodyBytes);
    } catch (error) {
      signal.throwIfAborted();
      if (timeout.signal.aborted) {
        throw new LimiterClientError('UNANSWERED', `${what} was not answered within ${this.#timeoutMs} ms`);
      }
      if (!(error instanceof RequestError)) throw error;
      throw new LimiterClientError(FAILURES[error.failure.code], `${what} failed: ${error.message}`);
    } finally {
      timeout.end();
    }
    if (!expected.includes(status)) {
      throw new LimiterClientError('REFUSED', `${what} answered ${status}: ${reasonOf(json)}`, status);
    }
    const parsed = schema.safeParse(json);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const where = issue?.path.length ? `; ${issue.path.join('.')}: ${issue.message}` : '';
      throw new LimiterClientError(
        'INVALID',
        `${what} answered ${status}, but not as a rate limiter of this interface (expected ${schema.description ?? 'another body'}${where})`,
        status,
      );
    }
    return { status, body: parsed.data };
  }
}

/** Whether `key` stands in the name of a hash, not as a part of another key. */
function isOfKey(redisKey: string, key: string): boolean {
  for (let at = redisKey.indexOf(key); at !== -1; at = redisKey.indexOf(key, at + 1)) {
    const around = `${redisKey[at - 1] ?? ''}${redisKey[at + key.length] ?? ''}`;
    if (!/[A-Za-z0-9-]/.test(around)) return true;
  }
  return false;
}

/** RESET, NO_ROOM, TIMEOUT and STOPPED: it may have been sent, and acted upon. */
const FAILURES: Readonly<Record<FailureCode, LimiterFailure>> = {
  UNREACHABLE: 'UNREACHABLE',
  NO_CONNECTIONS: 'UNSENT',
  NOT_SENT: 'UNSENT',
  RESET: 'BROKEN_OFF',
  NO_ROOM: 'BROKEN_OFF',
  TIMEOUT: 'UNANSWERED',
  STOPPED: 'BROKEN_OFF',
  BAD_ANSWER: 'INVALID',
};
