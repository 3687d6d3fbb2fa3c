/** A slow network: each command, also a read, reaches Redis later by the same time. */
import { EARLY_MS } from '../../events.ts';
import { messageOf } from '../../text.ts';
import { TIMED_OUT, within } from '../../waiting.ts';
import type { FaultTools } from '../fault.ts';
import type { FaultType } from '../fault-type.ts';
import { confirmed, inconclusive, type Proof } from '../proof.ts';
import { type Before, type Look, ProxiedFault } from '../proxied-fault.ts';

/** An answer within this share of the latency was not delayed: the fault has ended. */
const QUICK = 0.9;
/** How much later than twice the latency a command may still be; milliseconds. */
const SPARE_MS = 100;
/** A probe without an answer for so long is given up; milliseconds. */
const PROBE_WITHIN_MS = 2000;

/** One command of a probe, and the direct read next to it. */
export interface ProbeCommand {
  readonly tookMs: number;
  /** How long a read on another connection took, that was sent with it. */
  readonly readMs: number;
}

/** Whether a command was as slow as planned, while a direct read was not. Pure. */
export function isSlow({ readMs, tookMs }: ProbeCommand, latencyMs: number): boolean {
  return tookMs >= latencyMs / 2 && tookMs <= 2 * latencyMs + SPARE_MS && readMs <= latencyMs / 2;
}

export class LateCommands extends ProxiedFault {
  protected readonly type = 'Latency';
  protected override readonly latencyMs: number;
  protected override readonly quickMs: number;
  /** Why no more probes are sent. */
  #failure: string | undefined;

  constructor(tools: FaultTools, latencyMs: number) {
    super(tools);
    this.latencyMs = latencyMs;
    this.quickMs = latencyMs / 2;
  }

  protected async prove(_: Before, until: number): Promise<Proof> {
    const { now, redis } = this.tools;
    const probe = await this.#probe();
    if (!probe) return this.#unknown();
    const { readMs, tookMs } = probe;
    const message = `Through the proxy, ${redis.name} answered the operator after ${tookMs.toFixed(1)} ms, and directly after ${readMs.toFixed(1)} ms`;
    const look = this.#lookOf(probe);
    if (look === 'Met') return confirmed(message);
    return { proof: look === 'Ended' && now() < until - EARLY_MS ? 'Mismatch' : 'Inconclusive', message };
  }

  protected async look(_: Before, until: number): Promise<Look> {
    const probe = this.#failure === undefined ? await this.#probe() : undefined;
    if (probe) return this.#lookOf(probe);
    return this.tools.now() >= until ? 'Ended' : 'Unclear';
  }

  protected override async proveEnd(): Promise<Proof | undefined> {
    return this.#failure === undefined ? undefined : this.#unknown();
  }

  #lookOf(probe: ProbeCommand): Look {
    if (probe.tookMs < QUICK * this.latencyMs) return 'Ended';
    return isSlow(probe, this.latencyMs) ? 'Met' : 'Unclear';
  }

  #unknown(): Proof {
    return inconclusive(`Whether commands were late is not known: ${this.#failure}`);
  }

  /** Sends one command through the proxy, and a direct read with it. */
  async #probe(): Promise<ProbeCommand | undefined> {
    const sentAt = performance.now();
    const answered = async (): Promise<number> => {
      const state = await this.through.ask();
      if (state !== 'Answered') throw new Error('the connection of the operator ended');
      return performance.now() - sentAt;
    };
    try {
      const probe = await within(Promise.all([answered(), this.tools.redis.read()]), PROBE_WITHIN_MS);
      if (probe === TIMED_OUT) throw new Error(`no answer came within ${PROBE_WITHIN_MS} ms`);
      const [tookMs, readMs] = probe;
      return { tookMs, readMs };
    } catch (error) {
      this.#failure ??= messageOf(error);
      return undefined;
    }
  }
}

export const latency = {
  type: 'Latency',
  meaning: 'each command waits for latency, even a read',
  parameters: ['latency'],
  mechanisms: {
    Proxy: {
      title: 'Redis answers late',
      cause: 'store-slow',
      create: (tools, { latencyMs }) => new LateCommands(tools, latencyMs),
    },
  },
} as const satisfies FaultType;
