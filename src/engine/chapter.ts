/**
 * A chapter of a demo. Subjects list their chapters; the framework runs them and knows when each stage's work is done.
 */

import type { ChaosDemoStatus, ChapterStatus } from '../api/index.ts';

export interface Chapter {
  /** From 1, without a gap. */
  readonly number: number;
  readonly title: string;
  /** What it does: the framework has one rule for each, in stages.ts. */
  readonly stage:
    | 'welcome'
    | 'health'
    | 'setup'
    | 'chaos'
    | 'detection'
    | 'diagnosis'
    | 'recovery'
    | 'complete';
  /** Name of the scenario it belongs to, if it does. */
  readonly scenario?: string;
  /** Advances automatically when its work is done, in manual pace too. */
  readonly auto: boolean;
}

/** A chapter as a subject defines it, before the scenarios of a spec are known. */
export interface ChapterPlan {
  readonly title: string;
  readonly stage: Chapter['stage'];
  /** Type of the scenario it belongs to. */
  readonly of?: string;
  readonly auto?: boolean;
}

/**
 * The chapters of a run, numbered. Each scenario has those of its type, in the order of the plan; if there are several of
 * a type, their titles have its name. A type that `scenarios` lacks has none.
 */
export function chaptersOf(
  plan: readonly ChapterPlan[],
  scenarios: readonly { readonly name: string; readonly type: string }[],
): Chapter[] {
  const done = new Set<string>();
  const entries = plan.flatMap((entry): Omit<Chapter, 'number'>[] => {
    const { of } = entry;
    if (of === undefined) return [chapterOf(entry)];
    if (done.has(of)) return [];
    done.add(of);
    const own = plan.filter((other) => other.of === of);
    const names = scenarios.filter(({ type }) => type === of).map(({ name }) => name);
    return names.flatMap((scenario) =>
      own.map((each) =>
        chapterOf(names.length === 1 ? each : { ...each, title: `${each.title}: ${scenario}` }, scenario),
      ),
    );
  });
  return entries.map((entry, i) => ({ number: i + 1, ...entry }));
}

function chapterOf({ auto = false, stage, title }: ChapterPlan, scenario?: string): Omit<Chapter, 'number'> {
  return { title, stage, auto, ...(scenario !== undefined && { scenario }) };
}

export interface NumberedChapter extends ChapterStatus {
  readonly number: number;
  /** Waiting: its work is done and it waits for advance. Stopped: the run ended in it. */
  readonly state: 'Pending' | 'Running' | 'Waiting' | 'Completed' | 'Stopped';
}

/** The place of the last chapter that began; -1: none did. */
export function placeOf({ chapters = [] }: ChaosDemoStatus): number {
  return chapters.findLastIndex(({ startedAt }) => startedAt !== undefined);
}

/** The chapters of a status. Those before the last that began are completed. */
export function numbered(status: ChaosDemoStatus): NumberedChapter[] {
  const { chapters = [], journal, run } = status;
  const place = placeOf(status);
  const isDone = chapters[place]?.doneAt !== undefined;
  const active = isDone && journal?.awaitingSince !== undefined ? 'Waiting' : 'Running';
  const ended = isDone && place === chapters.length - 1 ? 'Completed' : 'Stopped';
  const current = run?.phase === undefined ? active : ended;
  return chapters.map((chapter, i) => {
    return { ...chapter, number: i + 1, state: i < place ? 'Completed' : i > place ? 'Pending' : current };
  });
}

/** The chapter that a run has reached: the active one, else the last that ended; undefined while another run is to begin. */
export function currentChapter(status: ChaosDemoStatus): NumberedChapter | undefined {
  return status.chapter === undefined ? undefined : numbered(status)[placeOf(status)];
}

/**
 * When a run left the chapter at this place of the list: when the next one began, or the run ended.
 * @param ended when it ended, if it has
 */
export function leftAt<T extends string | undefined>(
  chapters: readonly ChapterStatus[],
  place: number,
  ended: T,
): string | T {
  return chapters.slice(place + 1).find(({ startedAt }) => startedAt)?.startedAt ?? ended;
}
