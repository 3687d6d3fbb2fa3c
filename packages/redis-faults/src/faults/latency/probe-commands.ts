/** The commands of a probe through the fault proxy. Pure. */

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
