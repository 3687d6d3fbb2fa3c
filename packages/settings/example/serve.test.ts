import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SERVE = fileURLToPath(new URL('serve.ts', import.meta.url));
const serve = (...args: string[]) => promisify(execFile)(process.execPath, [SERVE, ...args]);

it('the example listens for as long as its flag says, and explains its flags', async () => {
  const startedAt = performance.now();
  await serve('--port=0', '--timeout=1s');
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1000);
  expect((await serve('--help')).stdout).toContain('[TIMEOUT, default 10s]');
  await expect(serve('--port', '70000', '--timeout=1h')).rejects.toMatchObject({ code: 64 });
});
