/** A piece of network: passes bytes on between whoever connects and one address, and can be made slow or be cut. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export class Link {
  readonly #server: Server;
  readonly #upstream: Address;
  readonly #sockets = new Set<Socket>();
  #delayMs = 0;
  #mended = Promise.withResolvers<void>();

  private constructor(upstream: Address) {
    this.#upstream = upstream;
    this.#server = createServer((client) => this.#serve(client));
    this.#mended.resolve();
  }

  static async start(upstream: Address, at: Address): Promise<Link> {
    const link = new Link(upstream);
    link.#server.listen(at.port, at.host);
    await once(link.#server, 'listening');
    return link;
  }

  /** Each message of either direction comes so much later from now on; 0: none does. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Nothing passes any more; connections stay, and so does what was sent, as in a network that loses packets. */
  stall(): void {
    this.#mended = Promise.withResolvers();
  }

  /** What was held passes. */
  mend(): void {
    this.#delayMs = 0;
    this.#mended.resolve();
  }

  async stop(): Promise<void> {
    this.mend();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(client: Socket): void {
    const server = connect(this.#upstream);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      // The other side learns of it by the end of its own connection.
      socket.on('error', () => {});
      socket.once('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    this.#pass(client, server);
    this.#pass(server, client);
  }

  /** In order, each chunk as late as the delay was when it came. */
  #pass(from: Socket, to: Socket): void {
    let before: Promise<void> = Promise.resolve();
    from.on('data', (chunk) => {
      const late = this.#delayMs > 0 ? sleep(this.#delayMs) : Promise.resolve();
      before = Promise.all([before, late])
        .then(() => this.#mended.promise)
        .then(() => void to.write(chunk));
    });
    from.once('end', () => void before.then(() => to.end()));
  }
}
