/** The certainty of a fault, and of its parts. Pure. */
import type { FaultProof, FaultReport } from './fault.ts';

/** The certainty of a part of a fault, with its reason. */
export interface Proof {
  readonly proof: FaultProof;
  readonly message: string;
}

export const confirmed = (message: string): Proof => ({ proof: 'Confirmed', message });
export const mismatch = (message: string): Proof => ({ proof: 'Mismatch', message });
export const inconclusive = (message: string): Proof => ({ proof: 'Inconclusive', message });

/** A fault is only as certain as its least certain part. The message is that of the unconfirmed part. */
export function withProof(report: FaultReport, { message, proof }: Proof): FaultReport {
  return {
    ...report,
    ...(report.proof === 'Confirmed' && { proof }),
    message: `${report.message}. ${message}`,
    evidence: [...report.evidence, message],
  };
}
