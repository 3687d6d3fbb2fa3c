import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
it('exits with 2 if its standard output is closed', async () => {
  const child = spawn(process.execPath, [MAIN, 'completion', 'bash'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.destroy();
  const [status] = (await once(child, 'exit')) as [number | null];
  expect(status).toBe(2);
});
