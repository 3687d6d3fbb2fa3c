/** What the findings of the probes prove of a pause. Pure. */
import { formatDuration } from '@chaosdemo/settings/duration';
import type { PauseFinding } from '../client/write-probe.ts';
import { EARLY_MS } from '../events.ts';
import { counted } from '../text.ts';
import type { FaultProof } from './fault.ts';
import { confirmed, inconclusive, mismatch } from './proof.ts';

/** What the probe proves of a pause of the store `name` of `ms` milliseconds, of a fault of `plannedMs`. */
export function verdictOn(
  finding: PauseFinding,
  name: string,
  ms: number,
  plannedMs: number,
): { proof: FaultProof; message: string } {
  if (finding.kind === 'held') {
    const planned = formatDuration(plannedMs);
    const reads = `${counted(finding.reads, 'read')} ${finding.reads === 1 ? 'was' : 'were'}`;
    return confirmed(
      `writes to ${name} stall for ${ms} ms of the configured ${planned}. A probe write was held back for ${Math.round(finding.heldMs)} ms, and ${reads} answered within ${finding.slowestReadMs.toFixed(1)} ms`,
    );
  }
  if (finding.kind === 'unclear') {
    return inconclusive(`Whether ${name} is paused is unclear: ${finding.reason}`);
  }
  const accepted = `${finding.name} accepted CLIENT PAUSE`;
  const after = `a write ${Math.round(finding.afterMs)} ms later`;
  return finding.afterMs >= ms - Math.min(EARLY_MS, ms / 2)
    ? inconclusive(
        `${accepted} for ${ms} ms and ${after}, when the pause had ended. The operator process was stalled, so no probe saw the pause. Give the operator more CPU, or lengthen the pause`,
      )
    : mismatch(
        `${accepted} and ${after}. Check whether a proxy answers in its place, or another client sends CLIENT UNPAUSE`,
      );
}
