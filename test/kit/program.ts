/** Runs the programs of others that tests look at the world with. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { ensureCrds, ensureTool, type ToolName, type ToolWithCrds } from '../../tools/offline/programs.ts';

/** How a program ended and what it wrote. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end, whatever that is; it has nothing of this process' environment but PATH and what is given. */
export async function runProgram(
  binary: string,
  args: readonly string[],
  {
    input = '',
    env = {},
    timeoutMs = 120_000,
  }: { input?: string; env?: NodeJS.ProcessEnv; timeoutMs?: number } = {},
): Promise<Outcome> {
  const child = spawn(binary, args, {
    env: { PATH: process.env['PATH'], ...env },
    signal: AbortSignal.timeout(timeoutMs),
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  child.stdin.on('error', () => {}); // It may end before it has read everything.
  child.stdin.end(input);
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, stdout, stderr };
}

const progress = (line: string): void => void process.stdout.write(`[tools] ${line}\n`);

/** Path of a program of tools/, built if need be: for `beforeAll`, whose timeout leaves time for that. */
export const tool = (name: ToolName): Promise<string> => ensureTool(name, { progress });

/** Folder with the CRDs that a program of tools/ brings. */
export const crdsOf = (name: ToolWithCrds): Promise<string> => ensureCrds(name, { progress });
