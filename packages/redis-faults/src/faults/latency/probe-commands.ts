/** What the commands of a probe through the fault proxy prove of latency. Pure. */
import { counted } from '../../text.ts';
import { confirmed, inconclusive, type Proof } from '../proof.ts';

/** How much later than twice the latency a command may still be; milliseconds. */
const SPARE_MS = 100;

/** The part of the fault in which commands have to be slow. */
const SHARE = 0.8;

/** One command of a probe, and the direct read next to it. */
export interface ProbeCommand {
  /** When it was answered; milliseconds since the epoch. */
  readonly at: number;
  readonly tookMs: number;
  /** How long a read on another connection took, that was sent with it. */
  readonly readMs: number;
}

/** Whether a command was as slow as planned, while a direct read was not. */
export function isSlow({ readMs, tookMs }: ProbeCommand, latencyMs: number): boolean {
  return tookMs >= latencyMs / 2 && tookMs <= 2 * latencyMs + SPARE_MS && readMs <= latencyMs / 2;
}

/** @param commands one after the other; each stands for the time since the one before */
export function provenBy(
  commands: readonly ProbeCommand[],
  latencyMs: number,
  { startedAt, until }: { readonly startedAt: number; readonly until: number },
): Proof {
  const slow = commands.filter((command) => isSlow(command, latencyMs));
  const slowMs = commands.reduce((sum, command, i) => {
    const since = commands[i - 1]?.at ?? startedAt;
    return isSlow(command, latencyMs) ? sum + Math.max(0, Math.min(command.at, until) - since) : sum;
  }, 0);
  const share = slowMs / Math.max(1, until - startedAt);
  const took = slow.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  const reads = Math.max(0, ...slow.map(({ readMs }) => readMs));
  const figures =
    slow.length === 0
      ? ''
      : `, a median of ${Math.round(took[Math.floor(took.length / 2)] ?? 0)} ms and at most ${Math.round(took.at(-1) ?? 0)} ms; reads took at most ${reads.toFixed(1)} ms`;
  const message = `In all, ${slow.length} of ${counted(commands.length, 'command')} of the probe took half to twice the latency, for ${Math.floor(100 * share)} % of the time${figures}`;
  if (share >= SHARE) return confirmed(message);
  return inconclusive(
    `${message}. ${100 * SHARE} % are needed: give the operator and Redis more CPU, or raise the latency`,
  );
}
