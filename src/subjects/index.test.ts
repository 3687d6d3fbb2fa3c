import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** How many modules of the Redis client a process has loaded after it imported this. */
function clientModulesAfter(specifier: string): number {
  const script = `
    await import(${JSON.stringify(specifier)});
    const { createRequire } = await import('node:module');
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    console.log(loaded.filter((file) => /[/]node_modules[/]ioredis[/]/.test(file)).length);
  `;
  const args = ['--conditions', 'development', '--input-type=module', '--eval', script];
  return Number(execFileSync(process.execPath, args, { cwd: fileURLToPath(new URL('.', import.meta.url)) }));
}

it('subjects load no Redis client, which only the threads of their runs need', () => {
  expect(clientModulesAfter('ioredis')).toBeGreaterThan(0);
  expect(clientModulesAfter(new URL('index.ts', import.meta.url).href)).toBe(0);
});
