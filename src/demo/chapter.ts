/**
 * A chapter of a demo. A subject lists its chapters; the framework leads
 * through them and knows for each stage when its work is done.
 */

/** What a chapter does. The framework has one rule for each, in stages.ts. */
export type Stage =
  | 'welcome'
  | 'health'
  | 'setup'
  | 'chaos'
  | 'detection'
  | 'diagnosis'
  | 'recovery'
  | 'complete';

export interface Chapter {
  /** From 1, without a gap. */
  number: number;
  title: string;
  stage: Stage;
  /** Name of the scenario it tells of; a chapter of a scenario left out has none and is Skipped. */
  scenario?: string;
  /** Skipped from the start: its scenario is not in the spec. */
  skipped: boolean;
  /** Goes on by itself as soon as its work is done, in manual pace too. */
  auto: boolean;
}
