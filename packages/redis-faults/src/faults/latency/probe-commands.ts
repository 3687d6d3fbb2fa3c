/** What the commands of a probe through the fault proxy prove of latency. Pure. */
import { counted } from '../../text.ts';

/** How much later than twice the latency a command may still be; milliseconds. */
const SPARE_MS = 100;

/** One command of a probe, and the direct read next to it. */
export interface ProbeCommand {
  readonly tookMs: number;
  /** How long a read on another connection took, that was sent with it. */
  readonly readMs: number;
}

/** Whether a command was as slow as planned, while a direct read was not. */
export function isSlow({ readMs, tookMs }: ProbeCommand, latencyMs: number): boolean {
  return tookMs >= latencyMs / 2 && tookMs <= 2 * latencyMs + SPARE_MS && readMs <= latencyMs / 2;
}

/** What all late commands of a fault were like, in words. */
export function figuresOf(commands: readonly ProbeCommand[], latencyMs: number): string {
  const slow = commands.filter((command) => isSlow(command, latencyMs));
  const took = slow.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  const reads = Math.max(0, ...slow.map(({ readMs }) => readMs));
  const figures =
    slow.length === 0
      ? ''
      : `: a median of ${Math.round(took[Math.floor(took.length / 2)] ?? 0)} ms and at most ${Math.round(took.at(-1) ?? 0)} ms; reads took at most ${reads.toFixed(1)} ms`;
  return `In all, ${slow.length} of ${counted(commands.length, 'command')} of the probe took half to twice the latency${figures}`;
}
