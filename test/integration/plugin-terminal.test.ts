/** The live view on a terminal: what stands there, what keys do, and that it is given back as it was. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { demo, demoSpec } from '../kit/demo.ts';
import { folderOfFile } from '../kit/folder.ts';
import { TestTerminal, withoutTerminal } from '../kit/terminal.ts';
import { until } from '../kit/until.ts';
import { World } from '../kit/world.ts';
import { COMPILED, PLUGIN } from './support/plugin.ts';

let world: World;
const folder = folderOfFile();
beforeAll(async () => {
  world = await World.start('approximate');
});
afterAll(() => world?.stop());

interface Place {
  readonly columns: number;
  readonly rows: number;
  /** Default: the name. */
  readonly args?: readonly string[];
}

function open(command: string, name: string, { args = [name], ...size }: Place) {
  const ttyFile = join(folder, `tty-${name}-${command}-${size.columns}`);
  const terminal = new TestTerminal([PLUGIN, command, ...args, '-n', world.namespace], {
    ...size,
    env: {
      ...COMPILED,
      KUBECONFIG: world.environment.controlPlane.kubeconfig,
      TTY_FILE: ttyFile,
    },
  });
  onTestFinished(() => terminal.kill());
  return { terminal, tty: async () => (await readFile(ttyFile, 'utf8')).trim() };
}

/** A run that waits in its first chapter. It injects nothing. */
async function byHand(name: string): Promise<void> {
  await world.applySpec(name, { pace: { mode: 'Manual' } });
  await world.untilWaiting(name, 1);
}

const abort = async (name: string): Promise<void> => {
  await world.annotate(name, 'abort', '1');
  await world.ended(name);
};

describe.skipIf(withoutTerminal)('the live view', () => {
  it('the live view uses its own 80x24 screen, resizes, and restores the terminal', async () => {
    await byHand('shown');
    const { terminal, tty } = open('watch', 'shown', { columns: 80, rows: 24 });
    const text = await terminal.shows('Waits for you to continue to Cluster Health');
    expect(terminal.isAlternate).toBe(true);
    expect(text.split('\n')[0]).toMatch(/^\S+\/shown {2}run 1 {2}Running/);
    expect(text).toMatch(/^‖ {2}1 Welcome +│ 1\/11 Welcome/m);
    expect(text).toMatch(/3 pods ready, Redis connected/);
    expect(terminal.lines[22]).toMatch(/^space continue {3}q quit/);
    // Colour is there, and nothing else that a view has no use for.
    expect(terminal.written).toContain('\u001b[33m');

    terminal.resize(await tty(), 120, 40);
    await until(() => terminal.lines[38]?.startsWith('space continue'), {
      what: 'the last line at its new place',
    });
    expect(terminal.lines[1]).toHaveLength(120);

    terminal.type(' ');
    await terminal.shows(/^[▶‖] {2}2 Cluster Health/m);
    terminal.type('q');
    expect(await terminal.ended).toBe(0);
    expect(terminal.isGivenBack).toBe(true);
    expect(terminal.lines.join('\n')).toContain('Running: ');
    await abort('shown');
  });

  it.each(['run', 'wait'])(
    '%s exits 130 on Ctrl-C, leaves the run active, and restores the terminal',
    async (command) => {
      const name = `interrupted-${command}`;
      const file = join(folder, `${name}.yaml`);
      const spec = demoSpec({ pace: { mode: 'Manual' } });
      await writeFile(file, JSON.stringify(demo({ name, namespace: world.namespace }, spec)));
      if (command === 'wait') await byHand(name);
      const args = command === 'run' ? ['-f', file] : [name];
      const { terminal } = open(command, name, { columns: 80, rows: 24, args });
      await terminal.shows('Waits for you');
      terminal.type('\u0003');
      expect(await terminal.ended).toBe(130);
      expect(terminal.isGivenBack).toBe(true);
      expect(terminal.lines.join('\n')).toMatch(
        new RegExp(`${name} continues\\. .*: kubectl chaosdemo watch`),
      );
      expect((await world.status(name)).run?.phase).toBeUndefined();
      await abort(name);
    },
  );
});
