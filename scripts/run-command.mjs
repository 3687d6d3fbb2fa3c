/** Runs programs for scripts/kind.mjs, all in the root of the repository. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../', import.meta.url));

/** Something a person has to put right; the message says how. */
export class SetupError extends Error {}

/** Runs a command with its output on the terminal. @throws unless it ends with 0 */
export async function show(command, args) {
  say(`$ ${command} ${args.join(' ')}`);
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0)
    throw new SetupError(`${command} ${args[0]} ended with status ${status}; its output stands above.`);
}

/** Runs a command; what it wrote. `missing` where there is no such program. */
export async function capture(command, args, input = '') {
  const child = spawn(command, args, { cwd: root, stdio: 'pipe' });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (chunk) => {
      output[name] += chunk;
    });
  }
  child.stdin.on('error', () => {}); // It may end before it has read everything.
  child.stdin.end(input);
  return await new Promise((resolve) => {
    child.once('error', (error) => resolve({ ok: false, missing: error.code === 'ENOENT', ...output }));
    child.once('close', (status) => resolve({ ok: status === 0, missing: false, ...output }));
  });
}

export function say(line) {
  process.stdout.write(`[kind] ${line}\n`);
}
