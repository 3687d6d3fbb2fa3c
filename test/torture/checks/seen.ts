/** What checks are made on, and what they find. */
import type { LanePlan } from '../plan.ts';
import type { TortureRecord } from '../record.ts';

/** One statement or act of the operator that the record does not bear out. */
export interface Wrong {
  readonly check: string;
  readonly lane: number;
  readonly at: number;
  readonly message: string;
}

/** What a check looks at. */
export interface Seen {
  readonly record: TortureRecord;
  readonly lane: number;
  readonly plan: LanePlan;
  /** Of the object. */
  readonly name: string;
}
