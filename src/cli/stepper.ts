/** Manual pace at a keyboard: space or enter lets the run leave the chapter it waits in. */
import type { ChaosDemoStatus } from '../api/index.ts';

/** Where a run waits for a person. */
export interface Waiting {
  /** What the advance annotation has to say: "<run number>/<chapter being left>". */
  readonly advance: string;
  /** Title of the chapter that comes next; undefined when the last one is being left. */
  readonly next: string | undefined;
}

/** Where this run waits for a person; undefined when it does not. Pure. */
export function waitingOf({ chapters = [], run }: ChaosDemoStatus): Waiting | undefined {
  const chapter = chapters.find(({ state }) => state === 'Waiting');
  if (!run || !chapter) return undefined;
  return {
    advance: `${run.number}/${chapter.number}`,
    next: chapters.find(({ number }) => number === chapter.number + 1)?.title,
  };
}

/** The part of a terminal's input that is needed here. */
export type Keyboard = NodeJS.ReadableStream & Partial<Pick<NodeJS.ReadStream, 'isTTY' | 'setRawMode'>>;

const CTRL_C = '\u0003';

export interface StepperOptions {
  readonly keyboard: Keyboard;
  /** Lets the run go on; asked once for each chapter. */
  readonly advance: (annotation: string) => Promise<void>;
  readonly say: (line: string) => void;
  /** Ctrl-C: a terminal that gives single keys sends no signal for it. */
  readonly onInterrupt: () => void;
  /** The input has ended, or the annotation could not be written. */
  readonly onError: (error: Error) => void;
}

/** Listens to the keyboard until it is closed. */
export class Stepper {
  readonly #options: StepperOptions;
  #waiting: Waiting | undefined;

  constructor(options: StepperOptions) {
    this.#options = options;
    const { keyboard, onError, onInterrupt } = options;
    if (keyboard.isTTY) keyboard.setRawMode?.(true);
    keyboard.on('data', (data: Buffer) => {
      const keys = data.toString();
      if (keys.includes(CTRL_C)) onInterrupt();
      else if (/[ \r\n]/.test(keys)) this.#step();
    });
    keyboard.on('end', () =>
      onError(new Error('--pace manual: the input has ended, so you cannot go on to the next chapter')),
    );
    keyboard.resume();
  }

  /** Takes a new status; says what to press when it waits anew. */
  take(status: ChaosDemoStatus): void {
    const waiting = waitingOf(status);
    if (waiting && waiting.advance !== this.#waiting?.advance) {
      this.#options.say(`   ▸ Press space or enter for ${waiting.next ?? 'the verdict'}`);
    }
    this.#waiting = waiting;
  }

  /** Gives the terminal back as it was. */
  close(): void {
    const { keyboard } = this.#options;
    if (keyboard.isTTY) keyboard.setRawMode?.(false);
    keyboard.pause();
  }

  #step(): void {
    const { advance, onError } = this.#options;
    if (!this.#waiting) return;
    advance(this.#waiting.advance).catch((error: unknown) => {
      onError(error instanceof Error ? error : new Error(String(error)));
    });
  }
}
