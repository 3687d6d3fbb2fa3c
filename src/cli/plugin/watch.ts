/** `watch` and `present`: a run on a terminal, and the keys that steer it. */
import { messageOf } from '../../api/index.ts';
import { readDiagnoses } from '../report/read.ts';
import { verdictLines } from '../run-text.ts';
import { waitingOf } from '../stepper.ts';
import { presentView } from '../view/present-view.ts';
import { hasTerminal, screenDisplay } from '../view/screen.ts';
import { type Display, plainDisplay, showLive } from '../view/session.ts';
import { currentEvidence, type LiveState } from '../view/state.ts';
import { watchView } from '../view/watch-view.ts';
import { type Connection, pluginCommand } from './connection.ts';
import { annotate } from './demos.ts';
import { EXIT, PluginError } from './errors.ts';
import { runStateOf } from './run-state.ts';
import { abortOf, advanceOf, type Steering } from './steer.ts';

export interface WatchOptions {
  readonly connection: Connection;
  readonly name: string;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The live view, for a command that ends with the run. */
export async function liveDisplay(): Promise<Display> {
  requireTerminal('Print lines instead: --plain');
  return await screenDisplay({
    view: watchView,
    keys: () => 'Ctrl-C leaves the run on and ends this',
    onKey: (key) => {
      if (key === 'ctrl-c') process.kill(process.pid, 'SIGINT');
    },
  });
}

/**
 * Shows it until the user leaves; as plain lines, until its run has ended.
 * @param verbose prints all figures and evidence after the run
 */
export async function watch({
  plain,
  verbose,
  ...options
}: WatchOptions & { plain: boolean; verbose: boolean }): Promise<void> {
  const { connection, name, print, signal } = options;
  const { client, namespace } = connection;
  const session = { client, namespace, name, signal };
  if (plain) {
    const ended = await showLive({ ...session, display: plainDisplay(print), resultOf: endedOf });
    const { evidence } = await readDiagnoses(client, ended, signal);
    for (const line of verdictLines(ended, evidence, verbose)) print(line);
    return;
  }
  requireTerminal('Print lines instead: --plain');
  let isLeft = false;
  const display = await screenDisplay({
    view: watchView,
    keys: () => 'q quit',
    onKey: (key) => {
      if (key === 'q' || key === 'ctrl-c' || key === 'escape') isLeft = true;
    },
  });
  const last = await showLive({ ...session, display, resultOf: (state) => (isLeft ? { state } : undefined) });
  printLastState(last.state, verbose, print);
}

function endedOf({ deleted, demo, name }: LiveState) {
  if (deleted) throw new PluginError(`${name} was deleted`);
  return demo && runStateOf(demo).state === 'ended' ? demo : undefined;
}

/** Prints the last state: the terminal is empty after the live view. */
function printLastState(state: LiveState, isVerbose: boolean, print: (line: string) => void): void {
  const { demo } = state;
  if (demo?.status?.run?.phase) {
    for (const line of verdictLines(demo, currentEvidence(state), isVerbose)) print(line);
  } else if (demo?.status) print(`${demo.status.phase}: ${demo.status.message ?? ''}`);
}

/** How long a destructive key waits for its second press, in milliseconds. */
const CONFIRM_TIMEOUT_MS = 3_000;

export interface PresentOptions extends WatchOptions {
  /** A unique value for a request. */
  readonly newRequest: () => string;
}

/** Shows the run on a stage until the presenter leaves. */
export async function present(options: PresentOptions): Promise<void> {
  const { connection, name, print, signal } = options;
  requireTerminal(`Follow it with: ${pluginCommand('watch', { ...connection, name })} --plain`);
  const { client, namespace } = connection;
  const keys = new PresenterKeys(options);
  const display = await screenDisplay({
    view: presentView,
    keys: (state) => keys.help(state),
    onKey: (key, state) => keys.press(key, state),
  });
  const last = await showLive({
    client,
    namespace,
    name,
    display,
    signal,
    resultOf: (state) => (keys.isLeft ? { state } : undefined),
  });
  printLastState(last.state, false, print);
}

/** The keys of a presenter, and their description in the last line. */
class PresenterKeys {
  readonly #options: PresentOptions;
  #pending: { readonly key: string; readonly until: number } | undefined;
  #notice: { readonly text: string; readonly until: number } | undefined;
  #isLeft = false;

  constructor(options: PresentOptions) {
    this.#options = options;
  }

  get isLeft(): boolean {
    return this.#isLeft;
  }

  help({ demo }: LiveState): string {
    const now = performance.now();
    if (this.#pending && now < this.#pending.until) {
      return `${this.#pending.key} again: ${this.#pending.key === 'a' ? 'abort the run' : 'run again'}`;
    }
    if (this.#notice && now < this.#notice.until) return this.#notice.text;
    const space = demo?.status && waitingOf(demo.status) ? 'space continue   ' : '';
    return `${space}a abort   r run again   q quit`;
  }

  press(key: string, state: LiveState | undefined): void {
    const demo = state?.demo;
    if (key === 'q' || key === 'ctrl-c') this.#isLeft = true;
    if (!demo) return;
    if (key === ' ' || key === 'enter')
      this.#steer('advance', () => advanceOf(demo, this.#options.connection.kubectl));
    if (key === 'a' && this.#isConfirmed('a'))
      this.#steer('abort', () => abortOf(demo, this.#options.connection.kubectl));
    if (key === 'r' && this.#isConfirmed('r')) {
      this.#steer('requestedAt', () => ({ value: this.#options.newRequest(), does: 'runs again' }));
    }
  }

  /** A destructive key has to be pressed twice. */
  #isConfirmed(key: string): boolean {
    const now = performance.now();
    const isConfirmed = this.#pending?.key === key && now < this.#pending.until;
    this.#pending = isConfirmed ? undefined : { key, until: now + CONFIRM_TIMEOUT_MS };
    return isConfirmed;
  }

  #steer(annotation: Parameters<typeof annotate>[2], steering: () => Steering): void {
    const { connection, name, signal } = this.#options;
    this.#pending = undefined;
    const work = async (): Promise<void> => {
      const { does, value } = steering();
      await annotate(connection, name, annotation, value, signal);
      this.#tell(`${name} ${does}`);
    };
    work().catch((error: unknown) => this.#tell(messageOf(error)));
  }

  #tell(text: string): void {
    this.#notice = { text, until: performance.now() + CONFIRM_TIMEOUT_MS };
  }
}

function requireTerminal(remedy: string): void {
  if (!hasTerminal()) throw new PluginError('there is no terminal to draw on', remedy, EXIT.usage);
}
