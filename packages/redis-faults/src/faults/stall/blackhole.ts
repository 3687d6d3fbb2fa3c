/** A network that loses every packet: connections stay open, new ones are made, and no command is answered. */
import type { ConnectionState } from '../../client/data-port.ts';
import { EARLY_MS } from '../../events.ts';
import { messageOf } from '../../text.ts';
import { within } from '../../waiting.ts';
import { confirmed, inconclusive, mismatch, type Proof } from '../proof.ts';
import { type Before, type Look, ProxiedFault } from '../proxied-fault.ts';

/** Redis answers within this, directly, and through the proxy before the fault; then no answer comes for so long. Milliseconds. */
const QUICK_MS = 300;
/** Interval between two direct reads while it is active; milliseconds. */
const READ_EVERY_MS = 250;

export class Blackhole extends ProxiedFault {
  protected readonly type = 'Blackhole';
  protected override readonly quickMs = QUICK_MS;
  /** The answer to the one command that was sent over it in the fault. */
  #answer: ConnectionState | undefined;
  #readAt = 0;
  /** How long the last direct read took. */
  #readMs = 0;
  /** Why it is not known whether Redis itself answered. */
  #failure: string | undefined;

  protected async prove(before: Before, until: number): Promise<Proof> {
    const { now } = this.tools;
    const asked = this.through.ask();
    void asked.then((answer) => {
      this.#answer = answer;
    });
    // TLS, if there is any, is not begun: nothing is answered in any case.
    const fresh = await this.dial(before);
    let other: ConnectionState | undefined;
    void fresh?.ask().then((answer) => {
      other = answer;
    });
    await Promise.all([within(asked, QUICK_MS), this.#read()]);
    const isAnswered = this.#answer !== undefined || other !== undefined;
    // The proxy forgets what it has sent.
    fresh?.close();
    if (isAnswered) {
      const message = 'A command of the operator was answered through the proxy, or its connection ended';
      return now() > until - EARLY_MS
        ? inconclusive(`${message}, when the fault may have ended`)
        : mismatch(`${message}. Check whether another proxy answers in its place`);
    }
    if (!fresh) {
      return inconclusive('The proxy did not accept a new connection of the operator');
    }
    if (this.#failure !== undefined) return this.#unknown();
    const message = `Over a connection from before the fault and a new one, the operator got no answer within ${QUICK_MS} ms, and a direct read took ${Math.round(this.#readMs)} ms`;
    return this.#readMs <= QUICK_MS ? confirmed(message) : inconclusive(message);
  }

  protected async look(_: Before, until: number): Promise<Look> {
    // Not awaited: a slow read must not make the end late.
    if (performance.now() - this.#readAt > READ_EVERY_MS) void this.#read();
    if (this.#answer === 'Answered' || (this.#answer !== undefined && this.tools.now() >= until))
      return 'Ended';
    return this.#answer === undefined && this.#failure === undefined && this.#readMs <= QUICK_MS
      ? 'Met'
      : 'Unclear';
  }

  protected override async proveEnd(): Promise<Proof | undefined> {
    if (this.#answer !== 'Answered')
      return inconclusive('The connection of the operator ended without an answer');
    return this.#failure === undefined ? undefined : this.#unknown();
  }

  #unknown(): Proof {
    const { name } = this.tools.redis;
    return inconclusive(`Whether ${name} itself answered is not known: ${this.#failure}`);
  }

  /** Never rejects. */
  async #read(): Promise<void> {
    // One at a time.
    this.#readAt = Number.POSITIVE_INFINITY;
    try {
      this.#readMs = await this.tools.redis.read();
    } catch (error) {
      this.#failure ??= messageOf(error);
    }
    this.#readAt = performance.now();
  }
}
