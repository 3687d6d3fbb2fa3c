/** Runs external programs to their end: kubectl, kind, Docker or podman, tar, go. */
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';

export interface RunOptions {
  /** Default: that of this process. */
  readonly cwd?: string;
  /** The complete environment. Default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Standard input. */
  readonly input?: string;
  readonly signal?: AbortSignal | undefined;
  /** Default: no limit. */
  readonly timeoutMs?: number;
  /** Called with each line of standard error as it comes. */
  readonly onErrorLine?: (line: string) => void;
  /** Its output goes to the terminal, below the command itself. */
  readonly shown?: boolean;
}

/** The output of a program, and how it ended. */
export interface RunResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** The reason of a failure: the end of the output, or why it could not be run. */
  readonly errorText: string;
}

/**
 * Runs a program; its failure is a result. Throws the reason of `signal` once that was given and the program has ended:
 * it is interrupted with SIGINT, on which go and apt-get clean up, and killed 10 s later.
 */
export async function attempt(
  command: string,
  args: readonly string[],
  {
    cwd = process.cwd(),
    env = process.env,
    input = '',
    signal,
    timeoutMs = 0,
    onErrorLine,
    shown,
  }: RunOptions = {},
): Promise<RunResult> {
  signal?.throwIfAborted();
  if (shown) process.stdout.write(`$ ${command} ${args.join(' ')}\n`);
  const eachLine = function* (line: unknown) {
    onErrorLine?.(String(line));
    yield line;
  };
  const result = await execa(command, args, {
    cwd,
    env,
    extendEnv: false,
    input,
    reject: false,
    timeout: timeoutMs,
    killSignal: 'SIGINT',
    forceKillAfterDelay: 10_000,
    stripFinalNewline: false,
    ...(signal ? { cancelSignal: signal } : {}),
    ...(shown ? { stdout: 'inherit', stderr: 'inherit' } : { stderr: eachLine }),
  });
  signal?.throwIfAborted();
  const { stdout = '', stderr = '', failed, code, exitCode, timedOut } = result;
  const wrote = (stderr || stdout).trim().split('\n').slice(-15).join('\n');
  const missing = code === 'ENOENT' || code === 'EACCES';
  const errorText = missing
    ? 'not installed'
    : timedOut
      ? `no end after ${timeoutMs / 1000} s`
      : wrote || (exitCode === undefined ? String(result.shortMessage) : `status ${exitCode}`);
  return { ok: !failed, stdout, stderr, errorText };
}

/** The first executable of that name in PATH. */
export async function findInPath(name: string, env = process.env): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    if (await pathExists(path, constants.X_OK)) return path;
  }
  return undefined;
}

/** Whether there is a file or folder, with this access (see fs.constants; default: any). */
export async function pathExists(path: string, mode: number = constants.F_OK): Promise<boolean> {
  return await access(path, mode).then(
    () => true,
    () => false,
  );
}
