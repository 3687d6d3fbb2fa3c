/** A run as plain lines, for output without a terminal: the news from one state to the next. */
import type { ChaosDemoStatus } from '../../api/index.ts';
import { progressLines } from '../run-text.ts';
import { waitingOf } from '../stepper.ts';
import { header, row } from './rows.ts';
import type { Display } from './session.ts';
import { initialState, type LiveState } from './state.ts';

/** Prints rows as `kubectl get -w`, and lines between them as they become known, each once. @param print makes texts of the cluster safe */
export function plainDisplay(print: (line: string) => void): Display {
  let before: LiveState | undefined;
  let last: string | undefined;
  return {
    update(state) {
      const { demo, name, namespace } = state;
      // The age alone is no change.
      if (demo && row(demo, 0) !== last) {
        if (last === undefined) print(header(name));
        last = row(demo, 0);
        print(row(demo, Date.now()));
      }
      for (const line of plainLines(before ?? initialState(namespace, name), state)) print(line);
      before = state;
    },
    close: async () => undefined,
  };
}

/** The lines to print for the change from `before` to `after`; texts of the cluster are included as they are. */
export function plainLines(before: LiveState, after: LiveState): string[] {
  const [was, is] = [before.demo?.status, after.demo?.status ?? {}];
  const lines: string[] = [];
  const { lost } = after;
  if (lost && !before.lost) lines.push(`   Connection lost, trying again: ${lost.why}`);
  if (before.lost && !lost) lines.push('   Connected again');
  if (after.deleted && !before.deleted) lines.push(`   ${after.name} was deleted`);
  if (!after.demo || before.demo === after.demo) return lines;
  // A run that had ended before we started is no news: the user waits for another one.
  if (!before.demo && is.run?.phase) return lines;
  if (is.run && is.run.number !== was?.run?.number)
    lines.push(`Run ${is.run.number} of ${after.namespace}/${after.name}`);
  lines.push(...progressLines(was?.run?.number === is.run?.number ? was : undefined, is));
  const standing = stateLine(is);
  if (standing && standing !== stateLine(was ?? {})) lines.push(standing);
  return lines;
}

/** Why the run does not advance, if so. */
function stateLine(status: ChaosDemoStatus): string | undefined {
  const condition = (type: string) => status.conditions?.find((each) => each.type === type);
  const waiting = waitingOf(status);
  if (waiting) return `   Waits for you: advance ${waiting.advance}, to ${waiting.next ?? 'the verdict'}`;
  if (condition('Finished')?.status === 'True') return undefined;
  const stalled = condition('Stalled');
  if (stalled) return `   Not started (${stalled.reason}): ${stalled.message}`;
  if (status.phase !== 'Pending') return undefined;
  const ready = condition('Ready');
  return ready && `   Pending${ready.reason === 'Pending' ? '' : ` (${ready.reason})`}: ${ready.message}`;
}
