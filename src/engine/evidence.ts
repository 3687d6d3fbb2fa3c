/** The parts of the evidence of a fault that follow from its times and its reading. Pure. */
import type { FaultStatus } from '../api/index.ts';
import type { FaultEvidence } from '../evidence/index.ts';
import { watchEnd } from './fault-times.ts';
import type { InvariantReading } from './observed.ts';
import type { Scenario } from './subject.ts';
import { ms } from './time.ts';

/** The countdown, the fault and the time to settle. */
export function bandsOf(
  scenario: Scenario,
  fault: FaultStatus,
  reading: InvariantReading | undefined,
): FaultEvidence['bands'] {
  const plannedAt = ms(fault.plannedAt);
  const countdown = { kind: 'countdown', from: plannedAt - scenario.countdownMs, to: plannedAt } as const;
  if (fault.startedAt === undefined) return [countdown];
  const active = { kind: 'fault', from: ms(fault.startedAt) } as const;
  if (fault.endedAt === undefined) return [countdown, active];
  const endedAt = ms(fault.endedAt);
  const to = watchEnd(fault, scenario, reading);
  return [countdown, { ...active, to: endedAt }, { kind: 'settle', from: endedAt, to }];
}

/** When the invariant was violated, and when that was known: as long after it as the measure in the status has it. */
export function detectionsOf({
  brokenAt,
  detectedAt,
}: Partial<InvariantReading> = {}): FaultEvidence['detections'] {
  const known = detectedAt !== undefined && brokenAt !== undefined;
  const at = known ? brokenAt + Math.max(0, Math.round(detectedAt - brokenAt)) : detectedAt;
  return [
    ...(brokenAt === undefined ? [] : [{ at: brokenAt, kind: 'broken' } as const]),
    ...(at === undefined ? [] : [{ at, kind: 'detected' } as const]),
  ];
}
