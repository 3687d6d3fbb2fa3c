import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
it('exits with 2 if its standard output is closed', async () => {
  const child = spawn(process.execPath, [MAIN, 'help'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.destroy();
  const [status] = (await once(child, 'exit')) as [number | null];
  expect(status).toBe(2);
});

it.each([[[]], [['doctor']]])('has the help of a command by the word help: %j', (words) => {
  const { status, stdout } = spawnSync(process.execPath, [MAIN, 'help', ...words], { encoding: 'utf8' });
  expect(status).toBe(0);
  expect(stdout).toContain(`Usage: kubectl chaosdemo ${words[0] ?? '[options]'}`);
});
