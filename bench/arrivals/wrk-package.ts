import { attempt, messageOf } from '@chaosdemo/testbed';
import { installPackages, whyNotInstallable } from '../../tools/binaries/debian-packages.ts';
/** Finds wrk, or installs Debian's package of it where that is possible. */

/** Undefined when `wrk` can be run; else why it cannot. */
export async function whyNoWrk(
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (await runs(signal)) return undefined;
  const options = { progress: say, signal };
  const obstacle = await whyNotInstallable(options);
  if (obstacle) return `wrk is not in PATH, and ${obstacle}`;
  say('wrk is not in PATH. Next: installing the Debian package wrk');
  try {
    await installPackages(['wrk'], options);
  } catch (error) {
    signal.throwIfAborted();
    return `wrk is not in PATH, and it could not be installed: ${messageOf(error)}`;
  }
  return (await runs(signal)) ? undefined : 'wrk does not run, although its package is installed';
}

/** wrk prints its version and ends with status 1. */
async function runs(signal: AbortSignal): Promise<boolean> {
  const { stdout, stderr } = await attempt('wrk', ['--version'], { timeoutMs: 60_000, signal });
  return `${stdout}${stderr}`.includes('wrk');
}
