/** `npm run demo -- --ui` without a terminal: the page is there during the run and after it, and goes with Ctrl-C. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { demo, demoSpec, ONE_BURST } from '../kit/demo.ts';
import { folderOfTest } from '../kit/folder.ts';
import { until } from '../kit/until.ts';
import { COMPILED } from './support/plugin.ts';

const program = fileURLToPath(new URL('../../tools/demo/main.ts', import.meta.url));

it('the demo page shows the run until Ctrl-C, exits by its verdict, leaves nothing', async () => {
  const folder = folderOfTest();
  const file = join(folder, 'burst.yaml');
  const temporary = join(folder, 'tmp');
  await mkdir(temporary);
  const burst = demo({ name: 'burst', namespace: 'ratelimiter' }, demoSpec(ONE_BURST));
  await writeFile(file, stringify(burst));
  const child = spawn(process.execPath, [program, '--ui', `--file=${file}`], {
    env: {
      ...COMPILED,
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'],
      TMPDIR: temporary,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  const stderr = text(child.stderr);
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => void lines.push(line));
  const line = async (pattern: RegExp): Promise<string> =>
    await until(() => lines.find((each) => pattern.test(each)), { what: `a line like ${pattern}` });

  const address = await line(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}$/);
  const page = async (): Promise<string> => await (await fetch(address)).text();
  expect(await page()).toContain('ratelimiter/burst');
  const stays = await line(/^The page stays until Ctrl-C: /);
  expect(stays).toContain(address);
  expect(lines.join('\n')).toContain('Verdict: Succeeded (NoExpectation)');
  expect(await page()).toContain('No expectation was set');
  child.kill('SIGINT');
  expect({ ended: await ended, stderr: await stderr }).toEqual({ ended: [0, null], stderr: '' });
  await expect(fetch(address)).rejects.toThrow('fetch failed');
  expect(await readdir(temporary)).toEqual([]);
});
