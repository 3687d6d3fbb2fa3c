/** A slow network: each command, also a read, reaches Redis later by the same time. */
import { EARLY_MS } from '../../events.ts';
import { messageOf } from '../../text.ts';
import type { FaultTools } from '../fault.ts';
import { confirmed, inconclusive, type Proof } from '../proof.ts';
import { type Before, ProxiedFault } from '../proxied-fault.ts';
import { figuresOf, isSlow, type ProbeCommand } from './probe-commands.ts';

/** An answer within this share of the latency was not delayed: the fault has ended. */
const QUICK = 0.9;

export class LateCommands extends ProxiedFault {
  protected readonly type = 'Latency';
  protected override readonly latencyMs: number;
  protected override readonly quickMs: number;
  /** Commands over it in the fault, one after the other. */
  readonly #probes: ProbeCommand[] = [];
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
    const [first] = this.#probes;
    if (!first) return this.#unknown();
    void this.#keepProbing();
    const { readMs, tookMs } = first;
    const message = `Through the proxy, ${redis.name} answered the operator after ${tookMs.toFixed(1)} ms, and directly after ${readMs.toFixed(1)} ms`;
    if (isSlow(first, this.latencyMs) && !this.#isQuick(first)) return confirmed(message);
    return { proof: this.#isQuick(first) && now() < until - EARLY_MS ? 'Mismatch' : 'Inconclusive', message };
  }

  protected override get isMet(): boolean {
    const last = this.#probes.at(-1);
    return last !== undefined && isSlow(last, this.latencyMs);
  }

  protected async hasEnded(_: Before, until: number): Promise<boolean> {
    const last = this.#probes.at(-1);
    if (last && this.#isQuick(last)) return true;
    return this.#failure !== undefined && this.tools.now() >= until;
  }

  protected async proveEnd(): Promise<Proof> {
    if (this.#failure !== undefined) return this.#unknown();
    // That of the last command is the time from its sending to the end of the fault, and not its latency.
    const late = this.#probes.filter((probe) => !this.#isQuick(probe));
    return confirmed(figuresOf(late, this.latencyMs));
  }

  #isQuick({ tookMs }: ProbeCommand): boolean {
    return tookMs < QUICK * this.latencyMs;
  }

  #unknown(): Proof {
    return inconclusive(`Whether commands were late is not known: ${this.#failure}`);
  }

  /** Until the end is seen, or the connection has ended. */
  async #keepProbing(): Promise<void> {
    for (let last = this.#probes.at(-1); last && !this.#isQuick(last); last = this.#probes.at(-1)) {
      const before = this.#probes.length;
      await this.#probe();
      if (this.#probes.length === before) return;
    }
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
      this.#probes.push({ tookMs, readMs });
    } catch (error) {
      this.#failure ??= messageOf(error);
    }
  }
}
