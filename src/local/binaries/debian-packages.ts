/** Has packages of Debian installed that bring what a machine lacks. */
import { LocalError, type LocalErrorCode, messageOf } from '../errors.ts';
import { offline } from '../offline.ts';
import type { StepOptions } from './cache.ts';

/** What {@link installMissing} takes besides what is missing. */
export interface PackageOptions extends StepOptions {
  /** Default: whether this process is root. */
  readonly root?: boolean;
  /** Where Debian asks whether a package may start its service. */
  readonly policyFile?: string;
}

/** What a machine lacks, and what brings it. */
export interface Missing {
  /** What was found instead, as the beginning of a sentence. */
  readonly found: string;
  /** Code of the error where it cannot be installed. */
  readonly code: LocalErrorCode;
  readonly packages: readonly string[];
  /** What the packages are to whoever watches: `the Debian package chromium`. */
  readonly what: string;
}

/**
 * Installs the packages, without starting a service; whether they brought it is left to the caller.
 * @throws LocalError with the code, where this machine has no packages of Debian, this process may not install them, or
 *   apt-get fails; the reason of `signal` once it is aborted
 */
export async function installMissing(
  { code, found, packages, what }: Missing,
  options: PackageOptions,
): Promise<void> {
  const { installPackages, whyNotInstallable } = await offline();
  const obstacle = await whyNotInstallable(options);
  if (obstacle) throw new LocalError(code, `${found}, and ${obstacle}`);
  options.progress(`${found}. Next: installing ${what}`);
  await installPackages(packages, options).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    throw new LocalError(code, messageOf(error), { cause: error });
  });
}
