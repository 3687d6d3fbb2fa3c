/** Runs a program to its end and returns what it wrote: for version checks, tar, apt-get and go. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Supervisor } from '../supervisor.ts';

/** Options of one run. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  /** Default: as long as it takes. */
  readonly timeoutMs?: number;
  /** Ends it, with all it started, when this process is killed without a chance to. For what runs long. */
  readonly supervisor?: Supervisor;
  /** Called with each line of standard error as it comes. */
  readonly onErrorLine?: (line: string) => void;
}

/** What it wrote and how it ended. */
export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

const killAfterMs = 10_000;

/**
 * Rejects only when the program cannot be started, or was stopped by `signal`
 * or the timeout; then only after it has ended. It is asked with SIGINT, on
 * which go and apt-get clean up behind themselves.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const stops = [options.signal, options.timeoutMs ? AbortSignal.timeout(options.timeoutMs) : undefined];
  const stop = AbortSignal.any(stops.filter((signal) => signal !== undefined));
  stop.throwIfAborted();

  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.supervisor !== undefined,
    ...(options.cwd ? { cwd: options.cwd } : {}),
    ...(options.env ? { env: options.env } : {}),
  });
  const release = child.pid === undefined ? undefined : options.supervisor?.adoptGroup(child.pid);
  const out: Buffer[] = [];
  const errorLines: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  createInterface({ input: child.stderr }).on('line', (line) => {
    errorLines.push(line);
    options.onErrorLine?.(line);
  });

  let killTimer: NodeJS.Timeout | undefined;
  const onStop = (): void => {
    child.kill('SIGINT');
    killTimer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  };
  stop.addEventListener('abort', onStop, { once: true });
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    stop.throwIfAborted();
    return { stdout: Buffer.concat(out).toString('utf8'), stderr: errorLines.join('\n'), status };
  } finally {
    stop.removeEventListener('abort', onStop);
    clearTimeout(killTimer);
    release?.();
  }
}
