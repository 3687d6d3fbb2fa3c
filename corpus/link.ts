/** A network link: passes bytes between its clients and one address, and can be made slow or be cut. */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Address, Relay } from '../test/kit/relay.ts';

export class Link {
  #relay!: Relay;
  #delayMs = 0;
  #mended = Promise.withResolvers<void>();

  private constructor() {
    this.#mended.resolve();
  }

  /** `from`: the address from which it connects to `upstream`. */
  static async start(upstream: Address, at: Address, from?: string): Promise<Link> {
    const link = new Link();
    const pass = (client: Socket, server: Socket): void => {
      link.#pass(client, server);
      link.#pass(server, client);
    };
    link.#relay = await Relay.start(upstream, at, pass, from);
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
  restore(): void {
    this.#delayMs = 0;
    this.#mended.resolve();
  }

  /** See {@link Relay.redirect}. */
  redirect(upstream: Address): void {
    this.#relay.redirect(upstream);
  }

  async stop(): Promise<void> {
    this.restore();
    this.#relay.stop();
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
