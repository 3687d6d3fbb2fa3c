/** Finds wrk, or installs Debian's package of it where that is possible. */

import { run } from '../../src/local/binaries/run.ts';
import { messageOf } from '../../src/local/errors.ts';

const INSTALL_MS = 300_000;

/** Undefined when `wrk` can be run; else why it cannot. */
export async function whyNoWrk(
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (await runs(signal)) return undefined;
  if (process.getuid?.() !== 0) return 'wrk is not in PATH, and only root may install the Debian package';
  say('wrk is not in PATH. Next: installing the Debian package wrk');
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', 'wrk']]) {
    const failure = await aptGet(args, signal);
    if (failure) return `wrk is not in PATH, and apt-get ${args[0]} failed: ${failure}`;
  }
  return (await runs(signal)) ? undefined : 'wrk does not run, although its package is installed';
}

async function aptGet(args: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    const { status, stderr } = await run('apt-get', args, { env, timeoutMs: INSTALL_MS, signal });
    return status === 0 ? undefined : stderr.trim().slice(-300);
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  }
}

/** wrk prints its version and ends with status 1. */
async function runs(signal: AbortSignal): Promise<boolean> {
  try {
    const { stdout, stderr } = await run('wrk', ['--version'], { timeoutMs: 60_000, signal });
    return `${stdout}${stderr}`.includes('wrk');
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
