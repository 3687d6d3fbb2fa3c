/** The control API of a fault proxy in front of Redis (src/fault-proxy). Its answers are bounded and parsed by type. */
import { randomUUID } from 'node:crypto';
import { Agent } from 'undici';
import { z } from 'zod';
import { type FaultType, type ProxyState, proxyState } from '../proxy/control-api.ts';
import { messageOf, truncate } from '../text.ts';
import { fairTimeout } from '../waiting.ts';
import { formatAddr } from './address.ts';
import { type RedisTarget, redisName, settingOf } from './redis-target.ts';

/** Address and token of the control API. Holds a secret: not for logs or messages. */
export interface FaultProxyTarget extends Pick<RedisTarget, 'host' | 'podName' | 'port' | 'setting'> {
  readonly token: string;
}

/** How long one answer may take; milliseconds. A fault has 3 s to begin. */
const ANSWER_MS = 1500;
/** Addresses of 1,000 connections take less. */
const MOST_BYTES = 256 * 1024;

const address = z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[0-9.]*):\d{1,5}$/);
const begun = proxyState.extend({ clients: z.array(address) });
const connections = z.object({
  requester: address,
  connections: z.array(z.object({ client: address, upstream: address.optional() })),
});
const problem = z.object({ message: z.string() });

export type ProxyConnections = z.infer<typeof connections>;

/** A request to a fault proxy failed; the message states how, and what to do. */
export class FaultProxyError extends Error {
  override readonly name = 'FaultProxyError';
  /** The HTTP status, if it answered: then what was requested was not done. */
  readonly status: number | undefined;
  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** The connection of one session to a fault proxy. Every method throws FaultProxyError. */
export class FaultProxyClient {
  readonly #target: FaultProxyTarget;
  readonly #holder = randomUUID();
  readonly #agent = new Agent({ maxResponseSize: MOST_BYTES, connections: 4, pipelining: 0 });
  #released = false;

  constructor(target: FaultProxyTarget) {
    this.#target = target;
  }

  /** Name in messages: "redis-faults-0 (10.0.0.7:8474)". */
  get name(): string {
    return redisName(this.#target);
  }

  /** IP of its pod, to which the clients of Redis connect as well. */
  get host(): string {
    return this.#target.host;
  }

  /** Whether this session has ended a fault early. */
  get released(): boolean {
    return this.#released;
  }

  async state(): Promise<ProxyState> {
    return await this.#request('GET', '/fault', proxyState);
  }

  async connections(): Promise<ProxyConnections> {
    return await this.#request('GET', '/connections', connections);
  }

  /** From the answer on, the proxy begins no fault of another session, however late its request arrives. */
  async takeCharge(): Promise<ProxyState> {
    return await this.#request('PUT', '/charge', proxyState, { holder: this.#holder });
  }

  /**
   * Begins a fault, if this session is in charge and none is active.
   * @param durationMs after which the proxy ends it
   * @param latencyMs of Latency: how long each command waits
   * @returns the state, with the clients whose connections the fault has reached
   */
  async begin(type: FaultType, durationMs: number, latencyMs?: number): Promise<z.infer<typeof begun>> {
    this.#released = false;
    const fault = { type, durationMs, ...(latencyMs !== undefined && { latencyMs }) };
    return await this.#request('PUT', '/fault', begun, { ...fault, holder: this.#holder });
  }

  /** Ends the active fault, also one of another session. */
  async release(): Promise<void> {
    await this.takeCharge();
    this.#released = true;
    await this.#request('DELETE', `/fault?holder=${this.#holder}`, proxyState);
  }

  close(): void {
    void this.#agent.destroy().catch(() => undefined);
  }

  async #request<T>(
    method: 'DELETE' | 'GET' | 'PUT',
    path: string,
    schema: z.ZodType<T>,
    body?: object,
  ): Promise<T> {
    const { port } = this.#target;
    const { json, status } = await this.#send(method, path, body).catch((error: unknown) => {
      throw new FaultProxyError(
        `${this.name} is not reachable: ${truncate(messageOf(error), 160)}; check that the fault proxy runs, and that no NetworkPolicy blocks its control port`,
      );
    });
    if (status === 401) {
      throw new FaultProxyError(
        `${this.name} does not accept the token: compare the one in ${settingOf(this.#target, 'authSecretName')} with that of the proxy`,
        status,
      );
    }
    if (status !== 200) {
      const reply = problem.safeParse(json).data?.message ?? '';
      throw new FaultProxyError(`${this.name} responded with ${status}: ${truncate(reply, 160)}`, status);
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw new FaultProxyError(
      `${this.name} responded to ${method} ${path.split('?')[0]} with something else: check that port ${port} is the control port of the fault proxy, of the same version as the operator`,
    );
  }

  async #send(method: 'DELETE' | 'GET' | 'PUT', path: string, body?: object) {
    const { host, port, token } = this.#target;
    const timeout = fairTimeout(ANSWER_MS);
    try {
      const response = await this.#agent.request({
        origin: `http://${formatAddr(host, port)}`,
        method,
        path,
        headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
        signal: timeout.signal,
      });
      // Undefined: no JSON, or more of it than is read.
      const json: unknown = await response.body.json().catch(() => undefined);
      return { status: response.statusCode, json };
    } finally {
      timeout.end();
    }
  }
}
