/** A TCP relay to one address: accepts connections, and lets its user decide how bytes pass. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #upstream: Address;
  #port = 0;

  private constructor(
    upstream: Address,
    pass: (client: Socket, server: Socket) => void,
    localAddress: string | undefined,
  ) {
    this.#upstream = upstream;
    this.#server = createServer((client) => {
      const server = connect({ ...this.#upstream, ...(localAddress !== undefined && { localAddress }) });
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        // The other side sees it as the end of its connection.
        socket.on('error', () => {});
        socket.once('close', () => {
          this.#sockets.delete(socket);
          client.destroy();
          server.destroy();
        });
      }
      pass(client, server);
    });
  }

  /**
   * Listens at `at`; port 0: any that is free. `pass` has to carry the bytes of a new connection, both ways; where
   * one of its two sockets closes, the other is destroyed. `localAddress`: from which it connects.
   * @throws where the port is taken
   */
  static async start(
    upstream: Address,
    at: Address,
    pass: (client: Socket, server: Socket) => void,
    localAddress?: string,
  ): Promise<Relay> {
    const relay = new Relay(upstream, pass, localAddress);
    relay.#server.listen(at.port, at.host);
    await once(relay.#server, 'listening');
    relay.#port = (relay.#server.address() as AddressInfo).port;
    return relay;
  }

  get port(): number {
    return this.#port;
  }

  /** Leads new connections to `upstream`, as a Service whose selector matches another pod; those there are stay. */
  redirect(upstream: Address): void {
    this.#upstream = upstream;
  }

  /** Ends the connections there are. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Takes no more connections, and ends those there are. */
  stop(): void {
    this.#server.close();
    this.cut();
  }
}
