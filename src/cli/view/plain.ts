/** A run as plain lines, for output without a terminal: the news from one state to the next. */
import { type ChaosDemo, type ChaosDemoStatus, conditionOf } from '../../api/index.ts';
import { currentChapter } from '../../engine/chapter.ts';
import { resultLine } from '../run-text.ts';
import { waitingOf } from '../stepper.ts';
import { header, row } from './rows.ts';
import { type Display, initialState, type LiveState } from './state.ts';

/** Prints lines as they become known, each once. @param print makes texts of the cluster safe */
export function plainDisplay(print: (line: string) => void): Display {
  let before: LiveState | undefined;
  return {
    update(state) {
      const earlier = before ?? initialState(state.namespace, state.name);
      for (const line of plainLines(earlier, state, Date.now())) print(line);
      before = state;
    },
    close: async () => undefined,
  };
}

/** The lines to print for the change from `before` to `after`; texts of the cluster are included as they are. */
export function plainLines(before: LiveState, after: LiveState, now: number): string[] {
  const { demo, lost } = after;
  const lines: string[] = [];
  if (lost && !before.lost) lines.push(`   Connection lost, trying again: ${lost.why}`);
  if (before.lost && !lost) lines.push('   Connected again');
  if (after.deleted && !before.deleted) lines.push(`   ${after.name} was deleted`);
  if (!demo || before.demo === demo) return lines;
  const [was = {}, is = {}] = [before.demo?.status, demo.status];
  // A run that had ended before we started is no news: the user waits for another one.
  if (!before.demo && is.run?.phase) return lines;
  const isSameRun = was.run?.number === is.run?.number;
  if (is.run && !isSameRun) {
    lines.push(`Run ${is.run.number} of ${after.namespace}/${after.name}`, header(after.name));
  }
  lines.push(...storyLines(isSameRun ? was : {}, demo, now));
  const standing = stateLine(is);
  if (standing && standing !== stateLine(was)) lines.push(standing);
  return lines;
}

/** What is new in a run: messages of its chapters, a row for each chapter and for the end, and results. */
function storyLines(before: ChaosDemoStatus, demo: ChaosDemo, now: number): string[] {
  const { status: after = {} } = demo;
  const { chapters = [], journal, message = '', scenarios = [] } = after;
  const messages = chapters.map((chapter, i) =>
    chapter.message && chapter.message !== before.chapters?.[i]?.message ? [`   ${chapter.message}`] : [],
  );
  const place = currentChapter(after)?.number;
  const begun = (place ?? 1) - 1;
  const isNew = place !== currentChapter(before)?.number || after.phase !== before.phase;
  const results = scenarios.filter(
    ({ name, result }) => result && result !== before.scenarios?.find((one) => one.name === name)?.result,
  );
  const isStopping = journal?.stoppingSince !== undefined && before.journal?.stoppingSince === undefined;
  return [
    // An earlier chapter may end with a message.
    ...messages.slice(0, begun).flat(),
    // Steps of a chapter and results have their own lines, and need no row.
    ...(place !== undefined && isNew ? [row(demo, now)] : []),
    ...messages.slice(begun).flat(),
    ...results.map((scenario) => `   ★ ${resultLine(scenario)}`),
    ...(isStopping ? [`   Stopping: ${message}`] : []),
  ];
}

/** Why the run does not advance, if so. */
function stateLine(status: ChaosDemoStatus): string | undefined {
  const waiting = waitingOf(status);
  if (waiting) return `   Waits for you: advance ${waiting.advance}, to ${waiting.next ?? 'the verdict'}`;
  if (conditionOf(status, 'Finished')?.status === 'True') return undefined;
  const stalled = conditionOf(status, 'Stalled');
  if (stalled) return `   Not started (${stalled.reason}): ${stalled.message}`;
  if (status.phase !== 'Pending') return undefined;
  const ready = conditionOf(status, 'Ready');
  return ready && `   Pending${ready.reason === 'Pending' ? '' : ` (${ready.reason})`}: ${ready.message}`;
}
