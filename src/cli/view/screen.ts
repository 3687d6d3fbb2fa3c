/**
 * The terminal: a separate screen, keys, and its size. Ink draws it; it writes only the lines that have changed, in one
 * synchronized update, and restores the terminal, also when the process is terminated.
 */
import { stderr, stdin, stdout } from 'node:process';
import { waitingOf } from '../stepper.ts';
import type { Display, LiveState } from './state.ts';
import { watchView } from './watch-view.ts';

/** Without it, a line too wide for the terminal wraps, and everything below moves. */
const WRAP = { off: '\u001b[?7l', on: '\u001b[?7h' };

/** Whether input and output are a terminal. */
export function hasTerminal(): boolean {
  return stdout.isTTY && stdin.isTTY && process.env['TERM'] !== 'dumb';
}

export interface ScreenOptions {
  /** The effect of Ctrl-C, for the last line. */
  readonly onInterrupt: string;
  /** Called for space and enter. */
  readonly advance: () => void;
  /** Called for q; undefined: Ctrl-C is sent to this process as a signal. */
  readonly leave: (() => void) | undefined;
}

/**
 * Draws the live view for every state and size, and takes the terminal until it is closed. Ink and React are
 * loaded only here: most commands need neither.
 */
export async function screenDisplay({ advance, leave, onInterrupt }: ScreenOptions): Promise<Display> {
  const [{ createElement }, { render, Text, useInput }] = await Promise.all([import('react'), import('ink')]);
  // https://no-color.org
  const color = (process.env['NO_COLOR'] ?? '') === '' && (stdout.hasColors?.() ?? true);
  let shown: LiveState | undefined;
  const Screen = ({ text }: { text: string }) => {
    useInput((input, { ctrl, escape, return: isEnter }) => {
      const isInterrupt = ctrl && input === 'c';
      if (isEnter || input === ' ') advance();
      else if (leave && (isInterrupt || escape || input === 'q')) leave();
      else if (isInterrupt) process.kill(process.pid, 'SIGINT');
      draw();
    });
    return createElement(Text, { wrap: 'truncate' }, text);
  };
  stdout.write(WRAP.off);
  const wrapAgain = (): void => void stdout.write(WRAP.on);
  // In case the process exits before close(). Ink restores the rest.
  process.once('exit', wrapAgain);
  const ink = render(createElement(Screen, { text: '' }), {
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
  const linesOf = (state: LiveState, keys: string): readonly string[] => {
    // Filling all rows would scroll.
    const size = { columns: stdout.columns || 80, rows: (stdout.rows || 24) - 1 };
    return watchView(state, { ...size, color, now: Date.now(), keys });
  };
  const draw = (): void => {
    if (!shown) return;
    const space = waitingOf(shown.demo?.status ?? {}) ? 'space continue   ' : '';
    const keys = `${space}${leave ? 'q quit' : `Ctrl-C ${onInterrupt}`}`;
    ink.rerender(createElement(Screen, { text: linesOf(shown, keys).join('\n') }));
  };
  stdout.on('resize', draw);
  return {
    update(state) {
      shown = state;
      draw();
    },
    async close() {
      stdout.off('resize', draw);
      ink.unmount();
      await ink.waitUntilExit();
      // The last frame stays above what is printed next, with its charts.
      if (shown) stdout.write(`${linesOf(shown, '').join('\n').trimEnd()}\n`);
      process.off('exit', wrapAgain);
      wrapAgain();
    },
  };
}
