/**
 * A failover that leaves open connections with the former primary: they answer READONLY, and new ones are as before.
 * They stay so while callers have to recover: in production, nothing would end that.
 */
import { EARLY_MS } from '../../events.ts';
import { pauseFor } from '../../waiting.ts';
import type { FaultTools, RecordEvent } from '../fault.ts';
import type { FaultType } from '../fault-type.ts';
import { type Proof } from '../proof.ts';
import { type Before, type Look, ProxiedFault } from '../proxied-fault.ts';

/** Interval between two probes while it lingers; milliseconds. */
const EVERY_MS = 250;

export class StalePrimary extends ProxiedFault {
  protected readonly type = 'StalePrimary';
  protected override readonly lingerMs: number;
  protected override readonly quickMs = Number.POSITIVE_INFINITY;

  /** @param lingerMs how long callers are watched after the planned end, in milliseconds */
  constructor(tools: FaultTools, lingerMs: number) {
    super(tools);
    this.lingerMs = lingerMs;
  }

  protected async prove(before: Before): Promise<Proof> {
    return await this.#compare(before, 'A connection of the operator');
  }

  protected async look(_: Before, until: number): Promise<Look> {
    return this.tools.now() < until && (await this.through.state()) === 'Stale' ? 'Met' : 'Ended';
  }

  protected async proveEnd(before: Before): Promise<Proof> {
    return await this.#compare(before, 'At its end, the same connection');
  }

  /** A proxy that restarts ends stale connections: then a limiter recovers that would not have. */
  protected override async linger(end: number, record: RecordEvent): Promise<void> {
    const { lifetime, now } = this.tools;
    const until = end - EARLY_MS;
    while (now() < until) {
      await pauseFor(Math.min(EVERY_MS, until - now()), lifetime);
      const isStale = (await this.through.state()) === 'Stale';
      if (!isStale && now() < until) return record({ kind: 'fault', step: 'Doubted', at: now() });
    }
  }

  /** Until then, open connections stay stale. */
  async gone(signal: AbortSignal): Promise<number> {
    for (;;) {
      const state = await this.proxy.state().catch(() => undefined);
      if (state?.fault === null) return this.tools.now();
      await pauseFor(EVERY_MS, signal);
    }
  }

  async #compare(before: Before, which: string): Promise<Proof> {
    const old = await this.through.state();
    const fresh = await this.dial(before);
    const answer = await fresh?.state();
    fresh?.close();
    const message = `${which} from before the fault got ${old === 'Stale' ? 'READONLY' : 'something else, or nothing'}, and a new one ${answer === 'Answered' ? 'led to Redis' : 'did not lead to Redis'}`;
    return { proof: old === 'Stale' && answer === 'Answered' ? 'Confirmed' : 'Mismatch', message };
  }
}

export const stalePrimary = {
  type: 'StalePrimary',
  meaning: 'open connections get READONLY, as those of a former primary',
  mechanisms: {
    Proxy: {
      title: 'Open connections to Redis get READONLY',
      cause: 'store-connections-broken',
      lasts: 'Lingers',
      create: (tools, { lingerMs }) => new StalePrimary(tools, lingerMs),
    },
  },
} as const satisfies FaultType;
