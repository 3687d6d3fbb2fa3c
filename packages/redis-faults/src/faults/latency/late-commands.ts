/** A slow network: each command, also a read, reaches Redis later by the same time. */
import { EARLY_MS } from '../../events.ts';
import { messageOf } from '../../text.ts';
import type { FaultTools } from '../fault.ts';
import { confirmed, inconclusive, type Proof } from '../proof.ts';
import { type Before, type Look, ProxiedFault } from '../proxied-fault.ts';
import { isSlow, type ProbeCommand } from './probe-commands.ts';

/** An answer within this share of the latency was not delayed: the fault has ended. */
const QUICK = 0.9;

export class LateCommands extends ProxiedFault {
  protected readonly type = 'Latency';
  protected override readonly latencyMs: number;
  protected override readonly quickMs: number;
  /** The last command over it in the fault. */
  #last: ProbeCommand | undefined;
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
    const first = this.#last;
    if (!first) return this.#unknown();
    void this.#keepProbing();
    const { readMs, tookMs } = first;
    const message = `Through the proxy, ${redis.name} answered the operator after ${tookMs.toFixed(1)} ms, and directly after ${readMs.toFixed(1)} ms`;
    if (isSlow(first, this.latencyMs) && !this.#isQuick(first)) return confirmed(message);
    return { proof: this.#isQuick(first) && now() < until - EARLY_MS ? 'Mismatch' : 'Inconclusive', message };
  }

  protected async look(_: Before, until: number): Promise<Look> {
    if (this.#last && this.#isQuick(this.#last)) return 'Ended';
    if (this.#failure !== undefined) return this.tools.now() >= until ? 'Ended' : 'Unclear';
    return this.#last && isSlow(this.#last, this.latencyMs) ? 'Met' : 'Unclear';
  }

  protected override async proveEnd(): Promise<Proof | undefined> {
    return this.#failure === undefined ? undefined : this.#unknown();
  }

  #isQuick({ tookMs }: ProbeCommand): boolean {
    return tookMs < QUICK * this.latencyMs;
  }

  #unknown(): Proof {
    return inconclusive(`Whether commands were late is not known: ${this.#failure}`);
  }

  /** Until the end is seen, or the connection has ended. */
  async #keepProbing(): Promise<void> {
    while (this.#failure === undefined && this.#last && !this.#isQuick(this.#last)) await this.#probe();
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
