/** What the writes of a probe, or its commands through a fault proxy, prove of latency. Pure. */
import { counted } from '../../text.ts';
import { type Proof } from '../proof.ts';

/** Redis ends a pause at the next command, or at the latest at the next turn of its timer; milliseconds. */
const TIMER_MS = 100;

/** The part of the fault in which writes have to be slow. */
const SHARE = 0.8;

/** One write of a probe, and the read next to it. */
export interface ProbeWrite {
  /** When it was answered; milliseconds since the epoch. */
  readonly at: number;
  readonly tookMs: number;
  /** How long a read on another connection took, that was sent with it. */
  readonly readMs: number;
}

/** Whether a write was as slow as planned, while a read was not. */
export function isSlow({ readMs, tookMs }: ProbeWrite, latencyMs: number): boolean {
  return tookMs >= latencyMs / 2 && tookMs <= 2 * latencyMs + TIMER_MS && readMs <= latencyMs / 2;
}

/**
 * What the writes to each server of a store prove: as much as those to the one that was slow for the shortest time.
 * @param seen by the name of the server
 */
export function provenOnAll(
  seen: ReadonlyMap<string, readonly ProbeWrite[]>,
  latencyMs: number,
  span: { readonly startedAt: number; readonly until: number },
): Proof {
  const [least, ...others] = [...seen]
    .map(([name, writes]) => ({ name, ...provenBy(writes, latencyMs, span) }))
    .toSorted((a, b) => a.share - b.share);
  if (!least) return provenBy([], latencyMs, span);
  const { message, name, proof } = least;
  if (others.length === 0) return { proof, message };
  return { proof, message: `Of ${seen.size} servers, ${name} was slow for the shortest time. ${message}` };
}

/**
 * @param writes one after the other; each stands for the time since the one before
 * @param noun what each is
 * @returns also the share of the time in which they were slow
 */
export function provenBy(
  writes: readonly ProbeWrite[],
  latencyMs: number,
  { startedAt, until }: { readonly startedAt: number; readonly until: number },
  noun: 'write' | 'command' = 'write',
): Proof & { readonly share: number } {
  const slow = writes.filter((write) => isSlow(write, latencyMs));
  const slowMs = writes.reduce((sum, write, i) => {
    const since = writes[i - 1]?.at ?? startedAt;
    return isSlow(write, latencyMs) ? sum + Math.max(0, Math.min(write.at, until) - since) : sum;
  }, 0);
  const share = slowMs / Math.max(1, until - startedAt);
  const took = slow.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  const reads = Math.max(0, ...slow.map(({ readMs }) => readMs));
  const figures =
    slow.length === 0
      ? ''
      : `, a median of ${Math.round(took[Math.floor(took.length / 2)] ?? 0)} ms and at most ${Math.round(took.at(-1) ?? 0)} ms; reads took at most ${reads.toFixed(1)} ms`;
  const message = `In all, ${slow.length} of ${counted(writes.length, noun)} of the probe took half to twice the latency, for ${Math.floor(100 * share)} % of the time${figures}`;
  if (share >= SHARE) return { proof: 'Confirmed', message, share };
  return {
    share,
    proof: 'Inconclusive',
    message: `${message}. ${100 * SHARE} % are needed: give the operator and Redis more CPU, or raise the latency`,
  };
}
