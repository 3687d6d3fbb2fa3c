/** A slow network: each command, also a read, reaches Redis later by the same time. */
import { EARLY_MS } from '../../events.ts';
import { messageOf } from '../../text.ts';
import type { FaultTools } from '../fault.ts';
import type { FaultType } from '../fault-type.ts';
import { confirmed, inconclusive, type Proof } from '../proof.ts';
import { type Before, type Look, ProxiedFault } from '../proxied-fault.ts';

/** An answer within this share of the latency was not delayed: the fault has ended. */
const QUICK = 0.9;
/** How much later than twice the latency a command may still be; milliseconds. */
const SPARE_MS = 100;

export class LateCommands extends ProxiedFault {
  protected readonly type = 'Latency';
  protected override readonly latencyMs: number;
  protected override readonly quickMs: number;
  /** How long the last command over it in the fault took, and a direct read that was sent with it. */
  #last: { readonly tookMs: number; readonly readMs: number } | undefined;
  /** Why no more probes are sent. */
  #failure: string | undefined;

  constructor(tools: FaultTools, latencyMs: number) {
    super(tools);
    this.latencyMs = latencyMs;
    this.quickMs = latencyMs / 2;
  }

  protected async prove(_: Before, until: number): Promise<Proof> {
    const { now, redis } = this.tools;
    await this.#probe();
    if (!this.#last) return this.#unknown();
    const { readMs, tookMs } = this.#last;
    const message = `Through the proxy, ${redis.name} replied to the operator after ${tookMs.toFixed(1)} ms, and directly after ${readMs.toFixed(1)} ms`;
    const look = this.#look();
    // One is always under way, so that the end is seen at once.
    void this.#keepProbing();
    if (look === 'Met') return confirmed(message);
    return { proof: look === 'Ended' && now() < until - EARLY_MS ? 'Mismatch' : 'Inconclusive', message };
  }

  protected async look(_: Before, until: number): Promise<Look> {
    const look = this.#look();
    if (look === 'Ended' || this.#failure === undefined) return look;
    return this.tools.now() >= until ? 'Ended' : 'Unclear';
  }

  protected override async proveEnd(): Promise<Proof | undefined> {
    return this.#failure === undefined ? undefined : this.#unknown();
  }

  /** Whether the last command was as slow as planned, while a direct read was not. */
  #look(): Look {
    if (!this.#last) return 'Unclear';
    const { readMs, tookMs } = this.#last;
    if (tookMs < QUICK * this.latencyMs) return 'Ended';
    return tookMs <= 2 * this.latencyMs + SPARE_MS && readMs <= this.latencyMs / 2 ? 'Met' : 'Unclear';
  }

  #unknown(): Proof {
    return inconclusive(`Whether commands were late is not known: ${this.#failure}`);
  }

  /** Until the end is seen, or the connection has ended. */
  async #keepProbing(): Promise<void> {
    while (this.#failure === undefined && this.#look() !== 'Ended') await this.#probe();
  }

  /** Sends one command through the proxy, and a direct read with it. */
  async #probe(): Promise<void> {
    const sentAt = performance.now();
    const answered = async (): Promise<number> => {
      const state = await this.through.ask();
      if (state !== 'Answered') throw new Error('the connection of the operator ended');
      return performance.now() - sentAt;
    };
    try {
      const [tookMs, readMs] = await Promise.all([answered(), this.tools.redis.read()]);
      this.#last = { tookMs, readMs };
    } catch (error) {
      this.#failure ??= messageOf(error);
    }
  }
}

export const latency = {
  type: 'Latency',
  meaning: 'each command waits for latency, even a read',
  parameters: ['latency'],
  mechanisms: {
    Proxy: {
      title: 'Redis replies late',
      cause: 'store-slow',
      create: (tools, { latencyMs }) => new LateCommands(tools, latencyMs),
    },
  },
} as const satisfies FaultType;
