/** Runs the programs of others: kind, Docker or podman, kubectl, tar. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { run } from '../binaries/run.ts';
import { LocalError, messageOf } from '../errors.ts';

/** The root of this repository, in which they run. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Options of one call. */
export interface CommandOptions {
  /** Default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

/** Standard output. @throws LocalError COMMAND_FAILED with the end of what it wrote to standard error */
export async function output(
  command: string,
  args: readonly string[],
  { env, signal }: CommandOptions = {},
): Promise<string> {
  const result = await run(command, args, {
    cwd: root,
    ...(env ? { env } : {}),
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw new LocalError('COMMAND_FAILED', `${command} ${args[0]}: ${messageOf(error)}`, { cause: error });
  });
  if (result.status === 0) return result.stdout;
  const said = (result.stderr || result.stdout).trim().split('\n').slice(-15).join('\n');
  throw new LocalError('COMMAND_FAILED', `${command} ${args.join(' ')}: status ${result.status}\n${said}`);
}

/** Whether the command ends with 0, and the last line that it wrote. Does not throw where there is no such command. */
export async function attempt(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<{ ok: boolean; stdout: string; said: string }> {
  try {
    const stdout = await output(command, args, options);
    return { ok: true, stdout, said: stdout.trim().split('\n').at(-1) ?? '' };
  } catch (error) {
    options.signal?.throwIfAborted();
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    const said =
      code === 'ENOENT' || code === 'EACCES'
        ? 'not installed'
        : (messageOf(error).trim().split('\n').at(-1) ?? '');
    return { ok: false, stdout: '', said };
  }
}

/** Runs a command with its output on the terminal. @throws LocalError COMMAND_FAILED unless it ends with 0 */
export async function show(
  command: string,
  args: readonly string[],
  { env, signal }: CommandOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  process.stdout.write(`$ ${command} ${args.join(' ')}\n`);
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: env ?? process.env,
    // A Ctrl-C in the terminal reaches only us; we pass it on once.
    detached: true,
  });
  const stop = (): void => void child.kill('SIGINT');
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal?.throwIfAborted();
    if (status !== 0) {
      throw new LocalError(
        'COMMAND_FAILED',
        `${command} ${args[0]} ended with status ${status}; what it wrote stands above`,
      );
    }
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
