/** The state of a view of one ChaosDemo, and its display. */
import type { ChaosDemo } from '../../api/index.ts';
import type { RunEvidence } from '../../evidence/index.ts';
import { isOfRun } from '../report/report.ts';

/** A view depends only on this and the clock. */
export interface LiveState {
  readonly namespace: string;
  readonly name: string;
  readonly demo?: ChaosDemo | undefined;
  readonly deleted: boolean;
  readonly evidence?: RunEvidence | undefined;
  /** Why the evidence is unavailable. */
  readonly noEvidence?: string | undefined;
  /** Since when, by the clock of this machine, the API server does not answer, and why. */
  readonly lost?: { readonly sinceMs: number; readonly why: string } | undefined;
}

/** The display of a view. */
export interface Display {
  /** Called several times a second. */
  update(state: LiveState): void;
  /** Restores the terminal. */
  close(): Promise<void>;
}

/** Nothing is known yet. */
export function initialState(namespace: string, name: string): LiveState {
  return { namespace, name, deleted: false };
}

/** The evidence of the run on display; evidence of an earlier run is ignored. */
export function currentEvidence({ demo, evidence }: LiveState): RunEvidence | undefined {
  return demo && evidence && isOfRun(evidence, demo) ? evidence : undefined;
}
