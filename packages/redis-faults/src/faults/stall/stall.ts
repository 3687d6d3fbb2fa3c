/**
 * Redis does not answer, while connections stay open: it holds writes back, or the network to it loses every packet, so
 * that new connections are made and no command is answered.
 */
import type { ConnectionState } from '../../client/data-port.ts';
import { EARLY_MS } from '../../events.ts';
import { messageOf } from '../../text.ts';
import { TIMED_OUT, within } from '../../waiting.ts';
import type { FaultType } from '../fault-type.ts';
import { FencedPause } from '../fenced-pause.ts';
import { confirmed, inconclusive, mismatch, type Proof } from '../proof.ts';
import { type Before, type Look, ProxiedFault } from '../proxied-fault.ts';

/** Redis answers within this, directly, and through the proxy before the fault; then no answer comes for so long. Milliseconds. */
const QUICK_MS = 300;

export class Blackhole extends ProxiedFault {
  protected readonly type = 'Blackhole';
  protected override readonly quickMs = QUICK_MS;
  /** The answer to the one command that was sent over it in the fault. */
  #answer: ConnectionState | undefined;
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
    const [, readMs] = await Promise.all([within(asked, QUICK_MS), this.#read()]);
    const isAnswered = this.#answer !== undefined || other !== undefined;
    // The proxy forgets what it has sent.
    fresh?.close();
    if (isAnswered) {
      const message = 'A command of the operator got a reply through the proxy, or its connection ended';
      return now() > until - EARLY_MS
        ? inconclusive(`${message}, when the fault may have ended`)
        : mismatch(`${message}. Check whether another proxy replies in its place`);
    }
    if (!fresh) {
      return inconclusive('The proxy did not accept a new connection of the operator');
    }
    if (this.#failure !== undefined) return this.#unknown();
    const message = `Over a connection from before the fault and a new one, the operator got no reply within ${QUICK_MS} ms`;
    return readMs <= QUICK_MS
      ? confirmed(`${message}, and a direct read took ${Math.round(readMs)} ms`)
      : inconclusive(`${message}, and a direct read got none in that time either`);
  }

  protected async look(_: Before, until: number): Promise<Look> {
    const readMs = await this.#read();
    if (this.#answer === 'Answered' || (this.#answer !== undefined && this.tools.now() >= until))
      return 'Ended';
    const isMet = this.#answer === undefined && this.#failure === undefined && readMs <= QUICK_MS;
    return isMet ? 'Met' : 'Unclear';
  }

  protected override async proveEnd(): Promise<Proof | undefined> {
    if (this.#answer !== 'Answered')
      return inconclusive('The connection of the operator ended without a reply');
    return this.#failure === undefined ? undefined : this.#unknown();
  }

  #unknown(): Proof {
    const { name } = this.tools.redis;
    return inconclusive(`Whether ${name} itself replied is not known: ${this.#failure}`);
  }

  /** How long a direct read takes; infinite if that is not quick, so that a slow one makes no end late. Never rejects. */
  async #read(): Promise<number> {
    try {
      const readMs = await within(this.tools.redis.read(), QUICK_MS);
      return readMs === TIMED_OUT ? Number.POSITIVE_INFINITY : readMs;
    } catch (error) {
      this.#failure ??= messageOf(error);
      return Number.POSITIVE_INFINITY;
    }
  }
}

export const stall = {
  type: 'Stall',
  meaning: 'writes wait, and reads get replies; via a fault proxy, no command gets a reply',
  mechanisms: {
    Redis: {
      title: 'Redis stops taking writes',
      cause: 'store-writes-stalled',
      holdsWrites: true,
      create: (tools) => new FencedPause(tools),
    },
    Proxy: {
      title: 'Redis sends no reply',
      cause: 'store-connections-broken',
      create: (tools) => new Blackhole(tools),
    },
  },
} as const satisfies FaultType;
