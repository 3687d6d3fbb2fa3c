/**
 * The terminal itself: a screen of its own, keys, and its size. Ink draws it, which writes only the lines that have
 * changed, in one synchronized update, and gives the terminal back as it was, also when the process is ended.
 */
import { stderr, stdin, stdout } from 'node:process';

/** A key: a character as it was typed, or `enter`, `escape`, `ctrl-c`. */
export type Key = string;

export interface Screen {
  /** Draws these lines, which must fit. */
  show(lines: readonly string[]): void;
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** Gives the terminal back. */
  close(): Promise<void>;
}

export interface ScreenOptions {
  readonly onKey: (key: Key) => void;
  /** The terminal has another size now. */
  readonly onResize: () => void;
}

/** Without it a line that is wider than the terminal thinks begins a second one, and everything below moves. */
const WRAP = { off: '\u001b[?7l', on: '\u001b[?7h' };

/** Whether there is a terminal to draw on and to type at. */
export function hasTerminal(): boolean {
  return stdout.isTTY && stdin.isTTY && process.env['TERM'] !== 'dumb';
}

/** Whether it is to be coloured: https://no-color.org. */
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
  // Also where the process ends before it is closed; the rest Ink gives back.
  process.once('exit', wrapAgain);
  const ink = render(createElement(Frame, { text: '' }), {
    stdin,
    stdout,
    stderr,
    alternateScreen: true,
    incrementalRendering: true,
    exitOnCtrlC: false,
    patchConsole: false,
    // A pipeline has no terminal; where there is one, it may be used even if CI is set.
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
