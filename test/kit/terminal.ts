/** A program on a terminal of a given size, and what stands on its screen, by an emulator that knows what a terminal does. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import xterm from '@xterm/headless';
import { until } from './until.ts';

/** `script` of util-linux gives a program a terminal; that of other systems is called otherwise. */
export const withoutTerminal = !String(spawnSync('script', ['--version']).stdout ?? '').includes(
  'util-linux',
);

/** One character on the screen, or several that share a cell. */
export interface Cell {
  /** Column, from 0. */
  readonly x: number;
  readonly text: string;
  /** Number in the palette of a terminal; undefined: as plain text. */
  readonly colour: number | undefined;
  readonly isBold: boolean;
  readonly isDim: boolean;
}

export class TestTerminal {
  readonly #child: ChildProcess;
  readonly #screen: InstanceType<typeof xterm.Terminal>;
  /** Everything that the program has written. */
  written = '';
  readonly ended: Promise<number | null>;

  /** @param args of this Node */
  constructor(
    args: readonly string[],
    { columns, env, rows }: { columns: number; rows: number; env: NodeJS.ProcessEnv },
  ) {
    this.#screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    const program = [process.execPath, ...args].map((word) => `'${word}'`).join(' ');
    // The program writes its device to a file, so that the test can set another size.
    const command = `stty cols ${columns} rows ${rows}; tty > "$TTY_FILE"; exec ${program}`;
    // As of a person: where a pipeline runs the tests, and whether they are coloured, does not matter.
    const { CI: _ci, NO_COLOR: _plain, ...environment } = process.env;
    this.#child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      env: { ...environment, TERM: 'xterm-256color', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout?.on('data', (data: Buffer) => {
      this.written += data.toString();
      this.#screen.write(data);
    });
    // The emulator reads what is written a moment later.
    this.ended = new Promise((resolve) =>
      this.#child.once('close', (status) => this.#screen.write('', () => resolve(status))),
    );
  }

  /** Types keys, as a person at the keyboard. */
  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Gives the terminal another size, of which the kernel signals its program. `tty`: its device. */
  resize(tty: string, columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    spawnSync('stty', ['-F', tty, 'cols', String(columns), 'rows', String(rows)]);
  }

  /** What is to be seen now, line by line. */
  get lines(): string[] {
    const { active } = this.#screen.buffer;
    return Array.from({ length: this.#screen.rows }, (_, row) =>
      (active.getLine(active.viewportY + row)?.translateToString(true) ?? '').trimEnd(),
    );
  }

  /** The same with what each character looks like, row by row; blanks are left out. */
  get cells(): Cell[][] {
    const { active } = this.#screen.buffer;
    return Array.from({ length: this.#screen.rows }, (_, row) => {
      const line = active.getLine(active.viewportY + row);
      return Array.from({ length: this.#screen.cols }, (_, x) => line?.getCell(x)).flatMap((cell, x) => {
        const text = cell?.getChars() ?? '';
        if (!cell || text.trim() === '') return [];
        const colour = cell.isFgPalette() ? cell.getFgColor() : undefined;
        return [{ x, text, colour, isBold: cell.isBold() !== 0, isDim: cell.isDim() !== 0 }];
      });
    });
  }

  /** Whether the program has the screen for itself, rather than the one with what was written before. */
  get isAlternate(): boolean {
    return this.#screen.buffer.active.type === 'alternate';
  }

  /** Whether the program has left its screen, and turned autowrap and the cursor on again. */
  get isGivenBack(): boolean {
    const isOn = (mode: string): boolean =>
      this.written.lastIndexOf(`\u001b[${mode}h`) > this.written.lastIndexOf(`\u001b[${mode}l`);
    return !this.isAlternate && isOn('?7') && isOn('?25');
  }

  /** Waits until something is to be seen; returns all that is. */
  async shows(what: string | RegExp): Promise<string> {
    try {
      return await until(
        () => {
          const text = this.lines.join('\n');
          return (typeof what === 'string' ? text.includes(what) : what.test(text)) && text;
        },
        { what: `the terminal to show ${what}`, deadlineMs: 120_000 },
      );
    } catch (error) {
      throw new Error(`${String(error)}; it shows:\n${this.lines.join('\n')}`, { cause: error });
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
