import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const EXAMPLE = fileURLToPath(new URL('../../packages/testbed/example/pods.ts', import.meta.url));

it('runs the example of the package, which leaves nothing that keeps it alive', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [EXAMPLE]);
  expect(stdout).toBe('pod/redis-0 condition met\n');
});
