/**
 * What tests read of a status, each by one function: where the API calls a field
 * otherwise, the one function that reads it changes.
 */
import { type ChaosDemoStatus, conditionOf, type ScenarioStatus } from '../../src/api/index.ts';
import { currentChapter, numbered } from '../../src/engine/chapter.ts';

/** "Status Reason" of a condition, such as "False Aborted"; undefined where there is none of that type. */
export function conditionText(status: ChaosDemoStatus, type: string): string | undefined {
  const found = conditionOf(status, type);
  return found && `${found.status} ${found.reason}`;
}

/** "Status Reason" by condition type. */
export function conditionTexts({ conditions = [] }: ChaosDemoStatus): Record<string, string> {
  return Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}

/** The scenario of a name, or the first one. @throws where there is none */
export function scenarioOf({ scenarios = [] }: ChaosDemoStatus, name?: string): ScenarioStatus {
  const found = name === undefined ? scenarios[0] : scenarios.find((scenario) => scenario.name === name);
  if (!found) throw new Error(`the status has no scenario ${name ?? 'at all'}`);
  return found;
}

/** The fault of the first scenario is proven to be on, or was. */
export function isConfirmed({ scenarios }: ChaosDemoStatus): boolean {
  return scenarios?.[0]?.fault?.proof === 'Confirmed';
}

/** Verdict, reason and message of the run: "Failed UnexpectedViolation: ghosts was expected ..."; a failing test shows all of it. */
export function verdictLine({ message, run }: ChaosDemoStatus): string {
  return `${run?.phase} ${run?.reason}: ${message}`;
}

/** The `spec.runId` that the run was started with. */
export function runIdOf({ run }: ChaosDemoStatus): string | undefined {
  return run?.runId;
}

/** Number of the run that has a verdict; undefined while one is on, or none was yet. */
export function endedRunOf({ run }: ChaosDemoStatus): number | undefined {
  return run?.completedAt === undefined ? undefined : run.number;
}

/** Number of the chapter on show, from 1; 0 before the first. */
export const chapterOnShow = (status: ChaosDemoStatus): number => currentChapter(status)?.number ?? 0;

/** Number of the chapter that waits for a hand; undefined where none does. */
export function waitingChapter(status: ChaosDemoStatus): number | undefined {
  return numbered(status).find(({ state }) => state === 'Waiting')?.number;
}
