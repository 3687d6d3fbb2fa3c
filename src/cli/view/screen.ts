/**
 * The terminal: a separate screen, keys, and its size. Ink draws it; it writes only the lines that have changed, in one
 * synchronized update, and restores the terminal, also when the process is terminated.
 */
import { stderr, stdin, stdout } from 'node:process';
import type { Display } from './session.ts';
import type { LiveState } from './state.ts';
import type { Frame } from './watch-view.ts';

/** A key: the character typed, or `enter`, `escape`, `ctrl-c`. */
export type Key = string;

export interface Screen {
  /** Draws these lines, which must fit. */
  show(lines: readonly string[]): void;
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** Restores the terminal. */
  close(): Promise<void>;
}

export interface ScreenOptions {
  readonly onKey: (key: Key) => void;
  /** Called when the size of the terminal changes. */
  readonly onResize: () => void;
}

/** Without it, a line too wide for the terminal wraps, and everything below moves. */
const WRAP = { off: '\u001b[?7l', on: '\u001b[?7h' };

/** Whether input and output are a terminal. */
export function hasTerminal(): boolean {
  return stdout.isTTY && stdin.isTTY && process.env['TERM'] !== 'dumb';
}

/** Whether to use colour: https://no-color.org. */
export function wantsColor(): boolean {
  return (process.env['NO_COLOR'] ?? '') === '' && (stdout.hasColors?.() ?? true);
}

/** Takes the terminal. Ink and React are loaded only here: most commands need neither. */
export async function openScreen({ onKey, onResize }: ScreenOptions): Promise<Screen> {
  const [{ createElement }, { render, Text, useInput }] = await Promise.all([import('react'), import('ink')]);
  const Frame = ({ text }: { text: string }) => {
    useInput((input, key) => {
      if (key.ctrl && input === 'c') onKey('ctrl-c');
      else if (key.return) onKey('enter');
      else if (key.escape) onKey('escape');
      else if (input !== '') onKey(input);
    });
    return createElement(Text, { wrap: 'truncate' }, text);
  };
  stdout.write(WRAP.off);
  const wrapAgain = (): void => void stdout.write(WRAP.on);
  // In case the process exits before close(). Ink restores the rest.
  process.once('exit', wrapAgain);
  const ink = render(createElement(Frame, { text: '' }), {
    stdin,
    stdout,
    stderr,
    alternateScreen: true,
    incrementalRendering: true,
    exitOnCtrlC: false,
    patchConsole: false,
    // A pipeline has no terminal; if there is one, it may be used even if CI is set.
    interactive: true,
  });
  stdout.on('resize', onResize);
  return {
    show: (lines) => ink.rerender(createElement(Frame, { text: lines.join('\n') })),
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    async close() {
      stdout.off('resize', onResize);
      ink.unmount();
      await ink.waitUntilExit();
      process.off('exit', wrapAgain);
      wrapAgain();
    },
  };
}

export interface ScreenDisplayOptions {
  readonly view: (state: LiveState, frame: Frame) => string[];
  /** The description of the keys in the last line, for a state. */
  readonly keys: (state: LiveState) => string;
  readonly onKey: (key: Key, state: LiveState | undefined) => void;
}

/** Minimum interval between two frames, in milliseconds. */
const FRAME_MS = 40;

/** Draws a view for every change, tick and size, and takes the terminal until it is closed. */
export async function screenDisplay({ keys, onKey, view }: ScreenDisplayOptions): Promise<Display> {
  const color = wantsColor();
  let shown: LiveState | undefined;
  let drawing: NodeJS.Timeout | undefined;
  const draw = (): void => {
    if (!shown) return;
    const { columns, rows } = screen.size();
    // Filling all rows would scroll.
    screen.show(view(shown, { columns, rows: rows - 1, color, now: Date.now(), keys: keys(shown) }));
  };
  const screen = await openScreen({
    onKey: (key) => {
      onKey(key, shown);
      draw();
    },
    onResize: () => draw(),
  });
  /** Combines changes: a list of a hundred events is one frame. */
  const drawSoon = (): void => {
    drawing ??= setTimeout(() => {
      drawing = undefined;
      draw();
    }, FRAME_MS);
  };
  return {
    update(state) {
      shown = state;
      drawSoon();
    },
    async close() {
      clearTimeout(drawing);
      await screen.close();
    },
  };
}
