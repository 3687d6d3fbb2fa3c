/**
 * The requests to one pod of the bundled limiter that no HTTP mapping has: set limits and read its counter. Answers are
 * validated and bounded, because the pod is not trusted.
 */
import { z } from 'zod';
import type { AnswerMemory } from '../../http/answer.ts';
import type { FailureCode } from '../../http/failure.ts';
import { parseJson } from '../../http/json-body.ts';
import { PodClient } from '../../http/pod-client.ts';
import type { PodTarget } from '../../target.ts';
import { reasonOf } from './reference-callers.ts';

/** How long a pod may take to report its counter, so that one slow pod does not block the watch; milliseconds. */
const COUNTER_WITHIN_MS = 1000;

const count = z.int().min(0);
const windowFields = { windowId: z.string().min(1).max(128), windowEndsAt: z.number() };
const limitAnswer = z.object({ limit: count, ...windowFields }).describe('a limit and its window');
const counterAnswer = z
  .object({ admitted: count, redisKey: z.string().min(1).max(512), ...windowFields })
  .describe('what was admitted, and its window');

/** `windowEndsAt` is in milliseconds since the epoch by the clock of Redis. */
export type LimitAnswer = z.infer<typeof limitAnswer>;
export type CounterAnswer = z.infer<typeof counterAnswer>;

/** REFUSED: answered with an error. BAD_ANSWER: also an answer that does not match the interface. */
export type LimiterFailure = FailureCode | 'REFUSED';

/** A request to a pod failed; the message names the pod, the request and the reason. */
export class LimiterClientError extends Error {
  readonly failure: LimiterFailure;
  /** HTTP status, if there was an answer. */
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
  readonly #client: PodClient;
  readonly #timeoutMs: number;

  /**
   * @param timeoutMs how long one request may take
   * @param connections requests that may be open at once; further ones wait
   * @param memory for answers that come in parts; default: as their bounds allow
   */
  constructor(pod: PodTarget, timeoutMs: number, connections: number, memory?: AnswerMemory) {
    this.name = pod.name;
    this.#timeoutMs = timeoutMs;
    this.#client = new PodClient(pod, connections, Date.now, undefined, memory);
  }

  /** Defines a limit on a key, with a new window that starts now. */
  async define(key: string, limit: number, windowMs: number, signal: AbortSignal): Promise<LimitAnswer> {
    const body = { key, limit, window_sec: windowMs / 1000 };
    const answer = await this.#request('POST', '/limit', limitAnswer, signal, { body });
    if (answer === undefined) throw this.#refused('POST /limit', 404, undefined);
    return answer;
  }

  /** The limit of a key as this pod knows it; undefined: it does not know the key (yet). */
  async limit(key: string, signal: AbortSignal): Promise<LimitAnswer | undefined> {
    return await this.#request('GET', `/limit?key=${encodeURIComponent(key)}`, limitAnswer, signal);
  }

  /**
   * What this pod admitted in the key's window, within 1 s; undefined: it does not know the key. The pod names the
   * Redis hash that is read, so one that is not of `key` is a BAD_ANSWER.
   */
  async counter(key: string, signal: AbortSignal): Promise<CounterAnswer | undefined> {
    const path = `/counter?key=${encodeURIComponent(key)}`;
    const timeoutMs = Math.min(this.#timeoutMs, COUNTER_WITHIN_MS);
    const answer = await this.#request('GET', path, counterAnswer, signal, { timeoutMs });
    if (answer === undefined || isOfKey(answer.redisKey, key)) return answer;
    throw new LimiterClientError(
      'BAD_ANSWER',
      `${this.name}: GET /counter names a redisKey that does not hold the key ${key}, so it was not read: a pod has to name the hash of the key in the request`,
      200,
    );
  }

  /** Removes a limit; returns whether there was one: an unknown key counts as removed. */
  async remove(key: string, signal: AbortSignal): Promise<boolean> {
    const path = `/limit?key=${encodeURIComponent(key)}`;
    return (
      (await this.#request(
        'DELETE',
        path,
        z.unknown().transform(() => true),
        signal,
      )) ?? false
    );
  }

  /** Ends every connection at once. */
  close(): void {
    this.#client.close();
  }

  /** The body of an answer 200, 201 or 204; undefined: 404. */
  async #request<T>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    schema: z.ZodType<T>,
    signal: AbortSignal,
    { body, timeoutMs = this.#timeoutMs }: { readonly body?: object; readonly timeoutMs?: number } = {},
  ): Promise<T | undefined> {
    const what = `${method} ${path.replace(/\?.*/, '')}`;
    const headers = { 'content-type': 'application/json' };
    const request = { method, path, ...(body && { headers, body: JSON.stringify(body) }) };
    const { answer, failure } = await this.#client.send(request, timeoutMs, signal);
    signal.throwIfAborted();
    if (failure) {
      const { code, message } = failure;
      const why = code === 'TIMEOUT' ? `was not answered within ${timeoutMs} ms` : `failed: ${message}`;
      throw new LimiterClientError(code, `${this.name}: ${what} ${why}`);
    }
    const { status } = answer;
    const json = parseJson(answer.body);
    if (status === 404) return undefined;
    if (status !== 200 && status !== 201 && status !== 204) throw this.#refused(what, status, json);
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const where = issue?.path.length ? `; ${issue.path.join('.')}: ${issue.message}` : '';
    throw new LimiterClientError(
      'BAD_ANSWER',
      `${this.name}: ${what} answered ${status}, but not as a rate limiter of this interface (expected ${schema.description ?? 'another body'}${where})`,
      status,
    );
  }

  #refused(what: string, status: number, json: unknown): LimiterClientError {
    const message = `${this.name}: ${what} answered ${status}: ${reasonOf(json)}`;
    return new LimiterClientError('REFUSED', message, status);
  }
}

/** Whether `key` is in the name of a hash, not as a part of another key. */
function isOfKey(redisKey: string, key: string): boolean {
  for (let at = redisKey.indexOf(key); at !== -1; at = redisKey.indexOf(key, at + 1)) {
    const around = `${redisKey[at - 1] ?? ''}${redisKey[at + key.length] ?? ''}`;
    if (!/[A-Za-z0-9-]/.test(around)) return true;
  }
  return false;
}
