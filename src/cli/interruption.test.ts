/** Ctrl-C in the live view, on a terminal. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { folderOfTest } from '../../test/kit/folder.ts';
import { TestTerminal, withoutTerminal } from '../../test/kit/terminal.ts';
import { until } from '../../test/kit/until.ts';

const PROGRAM = fileURLToPath(new URL('../../test/fixtures/cli/interrupted-view.ts', import.meta.url));
const CTRL_C = '\u0003';

async function open(...args: string[]): Promise<TestTerminal> {
  const folder = folderOfTest();
  const env = { TTY_FILE: join(folder, 'tty') };
  const terminal = new TestTerminal([PROGRAM, ...args], { columns: 80, rows: 24, env });
  onTestFinished(() => terminal.kill());
  await terminal.shows('a run is active');
  return terminal;
}

describe.skipIf(withoutTerminal)('Ctrl-C in the live view', () => {
  it('restores everything, gives the terminal back, and ends with 130', async () => {
    const terminal = await open();
    terminal.type(CTRL_C);
    expect(await terminal.ended).toBe(130);
    // The last frame, and what was printed after it.
    expect(terminal.written).toMatch(/1049l[^]*ratelimiter\/.*a run is active[^]*everything is restored/);
    expect(terminal.isGivenBack).toBe(true);
  });

  it('ends a program that hangs when it is pressed again, and gives the terminal back', async () => {
    const terminal = await open('hangs');
    terminal.type(CTRL_C);
    await terminal.shows('it hangs');
    const pressing = setInterval(() => terminal.type(CTRL_C), 100);
    onTestFinished(() => clearInterval(pressing));
    expect(await terminal.ended).toBe(130);
    await until(() => terminal.isGivenBack, { what: 'the terminal to be given back' });
  });
});
