/** A client of the limiter: sets the limit of a key on all pods, and samples their counters. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { z } from 'zod';

/** Retry interval for a pod that does not have a limit yet. */
const RETRY_MS = 25;
const MOST_CONNECTIONS = 8;

const limitBody = z.object({ limit: z.int(), window_sec: z.number(), windowEndsAt: z.number() });
const counterBody = z.object({ admitted: z.int(), synced: z.int(), redisKey: z.string() });
const errorBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** The limit of a key on one pod; `windowEndsAt` in milliseconds since the epoch by the clock of Redis. */
export type LimitAnswer = z.infer<typeof limitBody>;
/** The requests that one pod admitted, those of them that Redis has, and the Redis hash with the counts of all. */
export type CounterAnswer = z.infer<typeof counterBody>;

/** One pod of the limiter. Every method throws an Error that names the pod, the request and the reason. */
export class LimiterClient {
  readonly name: string;
  readonly #pool: Pool;
  readonly #timeoutMs: number;

  /** @param timeoutMs how long one request may take */
  constructor(
    pod: { readonly name: string; readonly host: string; readonly port: number },
    timeoutMs: number,
  ) {
    this.name = pod.name;
    this.#timeoutMs = timeoutMs;
    this.#pool = new Pool(`http://${pod.host}:${pod.port}`, { connections: MOST_CONNECTIONS });
  }

  /** Gives a key a limit of its own. @param windowMs length of its windows */
  async define(key: string, limit: number, windowMs: number, signal: AbortSignal): Promise<LimitAnswer> {
    const body = JSON.stringify({ key, limit, window_sec: windowMs / 1000 });
    return limitBody.parse(await this.#request('POST', '/limit', signal, body));
  }

  /** The limit of a key as this pod knows it. */
  async limit(key: string, signal: AbortSignal): Promise<LimitAnswer> {
    return limitBody.parse(await this.#request('GET', `/limit?key=${encodeURIComponent(key)}`, signal));
  }

  async counter(key: string, signal: AbortSignal): Promise<CounterAnswer> {
    return counterBody.parse(await this.#request('GET', `/counter?key=${encodeURIComponent(key)}`, signal));
  }

  /** Ends every connection at once. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #request(method: 'GET' | 'POST', path: string, signal: AbortSignal, body?: string): Promise<unknown> {
    const what = `${this.name}: ${method} ${path.replace(/\?.*/, '')}`;
    const within = AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]);
    const headers = { 'content-type': 'application/json' };
    const response = await this.#pool
      .request({ method, path, signal: within, ...(body !== undefined && { headers, body }) })
      .catch((error: unknown) => {
        signal.throwIfAborted();
        throw new Error(`${what} failed`, { cause: error });
      });
    const json = await response.body.json();
    if (response.statusCode < 300) return json;
    const { data } = errorBody.safeParse(json);
    throw new Error(`${what} returned ${response.statusCode}${data ? `: ${data.error.code}` : ''}`);
  }
}

/**
 * Sets the limit of a key by the first pod, and waits until every pod has it.
 * @throws Error if a pod does not have it within `timeoutMs`; the reason of `signal`
 * @example
 * await setupRateLimit(clients, { key: 'demo-key', limit: 10, windowMs: 60_000 }, 5000, signal);
 */
export async function setupRateLimit(
  clients: readonly LimiterClient[],
  { key, limit, windowMs }: { readonly key: string; readonly limit: number; readonly windowMs: number },
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  await clients[0]?.define(key, limit, windowMs, signal);
  await Promise.all(
    clients.map(async (client) => {
      for (;;) {
        const known = await client.limit(key, signal);
        if (known.limit === limit && known.window_sec * 1000 === windowMs) return;
        if (performance.now() > deadline)
          throw new Error(`${client.name} has not learned the limit of ${key}`);
        await sleep(RETRY_MS, undefined, { signal });
      }
    }),
  );
}

/** The counters of one key: of each pod, and the sum in Redis. */
export interface CounterSample {
  readonly admitted: ReadonlyMap<string, number>;
  readonly stored: number;
}

/**
 * Reads the counters of all pods, and then what Redis has counted: the difference is never too large.
 * @param redis reads the values of a hash
 * @throws Error of the first read that failed; the reason of `signal`
 */
export async function sampleCounters(
  clients: readonly LimiterClient[],
  redis: { hvals(key: string): Promise<readonly string[]> },
  key: string,
  signal: AbortSignal,
): Promise<CounterSample> {
  const counters = await Promise.all(clients.map(async (client) => await client.counter(key, signal)));
  const admitted = new Map(clients.map(({ name }, i) => [name, counters[i]?.admitted ?? 0]));
  const counts = await redis.hvals(counters[0]?.redisKey ?? '');
  return { admitted, stored: counts.reduce((sum, count) => sum + Number(count), 0) };
}
