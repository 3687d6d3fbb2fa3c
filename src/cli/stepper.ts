/** Manual pace at a keyboard: space or enter advances the run. */
import type { ChaosDemoStatus } from '../api/index.ts';

/** The place at which a run waits for a person. */
export interface Waiting {
  /** The value for the advance annotation: "<run number>/<chapter being left>". */
  readonly advance: string;
  /** Title of the next chapter; undefined when the last one is being left. */
  readonly next: string | undefined;
}

/** The place at which this run waits for a person; undefined when it does not. Pure. */
export function waitingOf({ chapters = [], run }: ChaosDemoStatus): Waiting | undefined {
  const place = chapters.findIndex(({ state }) => state === 'Waiting');
  if (!run || place < 0) return undefined;
  return { advance: `${run.number}/${place + 1}`, next: chapters[place + 1]?.title };
}

/** The part of a terminal's input used here. */
export type Keyboard = NodeJS.ReadableStream & Partial<Pick<NodeJS.ReadStream, 'isTTY' | 'setRawMode'>>;

const CTRL_C = '\u0003';

export interface KeyActions {
  /** Space or enter was pressed. */
  readonly advance: () => void;
  /** Ctrl-C: in raw mode the terminal sends no signal for it. */
  readonly onInterrupt: () => void;
  /** The input has ended. */
  readonly onEnd: () => void;
}

/** Listens to single keys. Returns a function that restores the terminal. */
export function listenToKeys(keyboard: Keyboard, { advance, onEnd, onInterrupt }: KeyActions): () => void {
  if (keyboard.isTTY) keyboard.setRawMode?.(true);
  keyboard.on('data', (data: Buffer) => {
    const keys = data.toString();
    if (keys.includes(CTRL_C)) onInterrupt();
    else if (/[ \r\n]/.test(keys)) advance();
  });
  keyboard.on('end', onEnd);
  keyboard.resume();
  return () => {
    if (keyboard.isTTY) keyboard.setRawMode?.(false);
    keyboard.pause();
  };
}
