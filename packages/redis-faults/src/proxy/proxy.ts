/**
 * A TCP proxy in front of one Redis whose faults end by a timer in this process: also if the process that requested one
 * is gone. It holds no state elsewhere, so after a restart there is no fault.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { oneAtATime } from '../waiting.ts';
import { ProxiedConnection, type Upstream } from './connection.ts';
import type { FaultType, ProxyState } from './control-api.ts';

/** Nothing is delayed by more; milliseconds. The bound of `latency` in the API of the operator. */
export const LONGEST_LATENCY_MS = 500;
/** Connections at once: their buffers are bounded, so this bounds memory. Further ones are closed. */
const MOST_CONNECTIONS = 1000;
/** How long after the end of a Refuse the port may be in use, and how often that is tried again; milliseconds. */
const LISTEN_WITHIN_MS = 10_000;
const LISTEN_AGAIN_MS = 50;

export interface ProxyOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly upstream: Upstream;
  /** Called if clients cannot connect again after a fault: only a restart helps. */
  readonly onFailure: (error: Error) => void;
}

interface Fault {
  readonly type: FaultType;
  /** Of Latency; else 0. */
  readonly latencyMs: number;
  /** By the monotonic clock; milliseconds. */
  readonly endsAt: number;
  readonly timer: NodeJS.Timeout;
}

/** A fault is not begun, or not ended: the control API responds with this status. */
function refused(message: string): Error {
  return Object.assign(new Error(message), { statusCode: 409 });
}

export class FaultProxy {
  readonly #options: ProxyOptions;
  readonly #instance = randomUUID();
  readonly #connections = new Set<ProxiedConnection>();
  #server: Server | undefined;
  #port = 0;
  /** Who may begin and end faults. */
  #holder: string | undefined;
  #faults = 0;
  #fault: Fault | undefined;
  /** While the active fault is being ended. */
  readonly #end = oneAtATime(() => this.#pass());
  #isClosed = false;

  constructor(options: ProxyOptions) {
    this.#options = options;
  }

  get state(): ProxyState {
    const { endsAt = 0, type } = this.#fault ?? {};
    return {
      instance: this.#instance,
      faults: this.#faults,
      port: this.#port,
      fault: type ? { type, remainingMs: Math.max(0, Math.round(endsAt - performance.now())) } : null,
    };
  }

  /** Addresses of the clients, and those of the connections to Redis that were made for them. */
  get connections(): { client: string; upstream: string | undefined }[] {
    return [...this.#connections].map(({ client, upstream }) => ({ client, upstream }));
  }

  /** From now on only `holder` may begin and end faults. */
  takeCharge(holder: string): void {
    this.#holder = holder;
  }

  /**
   * Begins a fault, which ends after `ms` milliseconds at the latest.
   * @param ms from 1 to `LONGEST_PROXIED_MS`
   * @param latencyMs of Latency only: how long each byte to Redis waits, from 1 to {@link LONGEST_LATENCY_MS}
   * @returns addresses of the clients whose connections it reached
   * @throws Error if one is active, or another holder is in charge
   */
  begin(type: FaultType, ms: number, holder: string, latencyMs = 0): string[] {
    this.#requireCharge(holder);
    if (this.#fault) throw refused(`a ${this.#fault.type} is active`);
    this.#faults += 1;
    const timer = setTimeout(() => void this.#end().catch(this.#options.onFailure), ms);
    this.#fault = { type, latencyMs, endsAt: performance.now() + ms, timer };
    if (type === 'Refuse') this.#stopListening();
    return [...this.#connections].flatMap((connection) =>
      this.#apply(connection, false) ? [connection.client] : [],
    );
  }

  /**
   * Ends the active fault, if there is one. Resolves once clients can connect.
   * @throws Error if another holder is in charge
   */
  async end(holder: string): Promise<void> {
    this.#requireCharge(holder);
    await this.#end();
  }

  #requireCharge(holder: string): void {
    if (holder !== this.#holder) throw refused('another holder is in charge');
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#fault?.timer);
    const server = this.#server;
    this.#server = undefined;
    const closed = server && once(server, 'close');
    server?.close();
    for (const connection of this.#connections) connection.reset();
    await closed;
  }

  #stopListening(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** Does to a connection what the active fault does. @param isNew made during it @returns whether that was possible */
  #apply(connection: ProxiedConnection, isNew: boolean): boolean {
    const { latencyMs = 0, type } = this.#fault ?? {};
    // Clients connect again a moment before the fault has ended.
    if (type === 'Refuse' && !isNew) connection.reset();
    if (type === 'Blackhole') connection.hold(isNew);
    if (type === 'Latency') connection.delay(latencyMs);
    // New connections are those to the new primary.
    return type !== 'StalePrimary' || isNew || connection.makeStale();
  }

  /** The fault stays active until clients can connect, so that none begins in between. */
  async #pass(): Promise<void> {
    if (!this.#fault) return;
    clearTimeout(this.#fault.timer);
    for (const connection of this.#connections) connection.release();
    const until = performance.now() + LISTEN_WITHIN_MS;
    while (!this.#server && !this.#isClosed) {
      try {
        await this.start();
      } catch (error) {
        if (performance.now() > until) throw error;
        await sleep(LISTEN_AGAIN_MS);
      }
    }
    this.#fault = undefined;
  }

  /** Listens. @throws the error of listening, such as EADDRINUSE */
  async start(): Promise<void> {
    const { host, port } = this.#options;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (client) =>
      this.#accept(server, client),
    );
    this.#server = server;
    try {
      server.listen({ host, port: this.#port || port });
      await once(server, 'listening');
    } catch (error) {
      if (this.#server === server) this.#server = undefined;
      throw error;
    }
    server.on('error', this.#options.onFailure);
    this.#port = (server.address() as AddressInfo | null)?.port ?? this.#port;
  }

  #accept(server: Server, client: Socket): void {
    client.on('error', () => undefined);
    // It was in the queue of a listener that is closed by now, or is one too many.
    if (this.#server !== server || this.#connections.size >= MOST_CONNECTIONS) {
      client.resetAndDestroy();
      return;
    }
    const connection = new ProxiedConnection(client, this.#options.upstream, () =>
      this.#connections.delete(connection),
    );
    this.#connections.add(connection);
    this.#apply(connection, true);
  }
}
