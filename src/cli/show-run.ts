/** Shows a run on a terminal, full-screen or line by line; enter, or space full-screen, advances a run that waits. */
import { createInterface, type Interface } from 'node:readline';
import type { KubeApi } from '@chaosdemo/kube-runtime';
import type { ChaosDemo } from '../api/index.ts';
import { annotate } from './plugin/demos.ts';
import { PluginError } from './plugin/errors.ts';
import { Waiter } from './plugin/run-state.ts';
import { readSource } from './report/read.ts';
import { type ReportSource, reportOf } from './report/report.ts';
import { verdictLines } from './run-text.ts';
import { waitingOf } from './stepper.ts';
import { folded } from './view/line.ts';
import { follow } from './view/live.ts';
import { plainDisplay } from './view/plain.ts';
import { screenDisplay } from './view/screen.ts';
import type { LiveState } from './view/state.ts';

export interface ShowRunOptions {
  readonly client: KubeApi;
  readonly namespace: string;
  readonly name: string;
  /** As lines, rather than full-screen. */
  readonly plain: boolean;
  /** Whether enter advances the run next to plain lines. */
  readonly isManual?: boolean;
  readonly print: (line: string) => void;
  /** The effect of Ctrl-C, for the last line of the screen. */
  readonly onInterrupt: string;
  readonly signal: AbortSignal;
}

/**
 * Shows the run until it has ended, and returns the object.
 * @param onState called with every state before that; its error ends the wait
 * @throws {PluginError} if the object was refused for some seconds
 * @throws if it is deleted, an annotation cannot be written, the keyboard has ended, or the reason of `signal`
 */
export async function showRun(
  options: ShowRunOptions & { readonly onRefused?: string },
  onState: (state: LiveState) => void = () => undefined,
): Promise<ChaosDemo> {
  const { name, onRefused } = options;
  const waiter = new Waiter();
  return await show(options, (state) => {
    if (state.deleted) throw new Error(`${name} was deleted`);
    const outcome = state.demo && waiter.observe(state.demo, performance.now());
    if (outcome?.state === 'ended') return state.demo;
    if (outcome)
      throw new PluginError(`${name} is refused (${outcome.reason}): ${outcome.message}`, onRefused);
    onState(state);
    return undefined;
  });
}

/** Shows the object full-screen, also after its run, until the user leaves. Returns the last state. */
export async function watchScreen(
  options: Omit<ShowRunOptions, 'onInterrupt' | 'plain'>,
): Promise<LiveState> {
  let isLeft = false;
  const leave = (): void => {
    isLeft = true;
  };
  const shown = { ...options, plain: false, onInterrupt: '' };
  return await show(shown, (state) => (isLeft ? state : undefined), leave);
}

/** The verdict of a run that has ended, as lines of the width of the terminal. */
export function printedVerdict(source: ReportSource): string[] {
  const report = reportOf(source);
  const lines = report ? verdictLines(report) : [];
  return lines.flatMap((line) => folded(line, process.stdout.columns));
}

/** Prints the verdict of a run that has ended, with its diagnoses. */
export async function printVerdict(
  { client, print, signal }: Pick<ShowRunOptions, 'client' | 'print' | 'signal'>,
  demo: ChaosDemo,
): Promise<void> {
  for (const line of printedVerdict(await readSource(client, demo, signal))) print(line);
}

/** @param leave called for q; without it, Ctrl-C is sent to this process as a signal */
async function show<T>(
  { client, isManual = false, name, namespace, onInterrupt, plain, print, signal }: ShowRunOptions,
  resultOf: (state: LiveState) => T | undefined,
  leave?: () => void,
): Promise<T> {
  const failed = new AbortController();
  const fail = (error: unknown): void => failed.abort(error);
  let last: LiveState | undefined;
  const advance = (): void => {
    const waiting = waitingOf(last?.demo?.status ?? {});
    if (waiting) annotate({ client, namespace }, name, 'advance', waiting.advance, signal).catch(fail);
  };
  const display = plain ? plainDisplay(print) : await screenDisplay({ advance, leave, onInterrupt });
  if (plain && isManual) print('Press enter to continue when the run waits for you.');
  const keyboard = plain && isManual ? keyboardOf(advance, fail) : undefined;
  try {
    const until = AbortSignal.any([signal, failed.signal]);
    return await follow({ client, namespace, name, hasCharts: !plain, signal: until }, (state) => {
      last = state;
      display.update(state);
      return resultOf(state);
    });
  } finally {
    keyboard?.close();
    await display.close();
  }
}

/** Calls `onEnter` for each line of the input, and `fail` at its end. */
function keyboardOf(onEnter: () => void, fail: (error: Error) => void): Interface {
  const keyboard = createInterface({ input: process.stdin });
  keyboard.on('line', onEnter);
  keyboard.on('close', () =>
    fail(new Error('the input has ended, so you cannot continue to the next chapter')),
  );
  return keyboard;
}
