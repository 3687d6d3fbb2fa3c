/**
 * A chapter of a demo. A subject lists its chapters; the framework leads
 * through them and knows for each stage when its work is done.
 */

import type { ChaosDemoStatus, ChapterStatus } from '../api/index.ts';

/** What a chapter can do. The framework has one rule for each, in stages.ts. */
export const STAGES = [
  'welcome',
  'health',
  'setup',
  'chaos',
  'detection',
  'diagnosis',
  'recovery',
  'complete',
] as const;

/** What a chapter does. */
export type Stage = (typeof STAGES)[number];

export interface Chapter {
  /** From 1, without a gap. */
  readonly number: number;
  readonly title: string;
  readonly stage: Stage;
  /** Name of the scenario it tells of; a chapter of a scenario left out has none and is Skipped. */
  readonly scenario?: string;
  /** Skipped from the start: its scenario is not in the spec. */
  readonly skipped: boolean;
  /** Goes on by itself as soon as its work is done, in manual pace too. */
  readonly auto: boolean;
}

/** A chapter as a subject tells it, before it is known which scenarios a spec has. */
export interface ChapterPlan {
  readonly title: string;
  readonly stage: Stage;
  /** Type of the scenario it tells of. */
  readonly of?: string;
  readonly auto?: boolean;
}

/**
 * The chapters of a run, numbered; those of a type that `scenarios` lacks are skipped.
 * A dry run passes no scenarios.
 */
export function chaptersOf(
  plan: readonly ChapterPlan[],
  scenarios: readonly { readonly name: string; readonly type: string }[],
): Chapter[] {
  return plan.map(({ title, stage, of, auto }, index) => {
    const scenario = of === undefined ? undefined : scenarios.find(({ type }) => type === of)?.name;
    return {
      number: index + 1,
      title,
      stage,
      ...(scenario === undefined ? {} : { scenario }),
      skipped: of !== undefined && scenario === undefined,
      auto: auto ?? false,
    };
  });
}

/** The chapter that a run has reached: the active one, else the last that ended; undefined while another run is to begin. */
export function currentChapter({ chapter, chapters = [] }: ChaosDemoStatus): ChapterStatus | undefined {
  if (chapter === undefined) return undefined;
  return chapters.findLast(({ state }) => state !== 'Pending' && state !== 'Skipped');
}
