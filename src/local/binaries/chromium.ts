/** Finds a Chromium that can be started, or has Debian's package installed where that is possible. */
import { LocalError, messageOf } from '../errors.ts';
import { offline } from '../offline.ts';
import { attempt, findInPath, isThere } from '../run.ts';
import type { StepOptions } from './cache.ts';

/** A browser that was seen running. */
export interface ChromiumBinary {
  readonly path: string;
  /** `156.0.8078.108` */
  readonly version: string;
}

/** What ensureChromium takes. */
export interface EnsureChromiumOptions extends StepOptions {
  /** Default: whether this process is root. */
  readonly root?: boolean;
  /** Where Debian asks whether a package may start its service. */
  readonly policyFile?: string;
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** Where macOS has them, which are in no PATH. */
const APPLICATIONS = ['Chromium', 'Google Chrome'].map(
  (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
);
/** Without a font no text has a width; the package only recommends one. */
const PACKAGES = ['chromium', 'fonts-dejavu-core'];

/**
 * A Chromium or Chrome of this machine, else Debian's package when root.
 * Throws BROWSER_MISSING with what was tried.
 */
export async function ensureChromium(options: EnsureChromiumOptions): Promise<ChromiumBinary> {
  const present = await lookForChromium(options);
  if (typeof present !== 'string') return present;

  const { installPackages, whyNotInstallable } = await offline();
  const obstacle = await whyNotInstallable(options);
  if (obstacle) throw new LocalError('BROWSER_MISSING', `${present}, and ${obstacle}`);
  options.progress(`${present}. Next: installing the Debian package chromium`);
  await installPackages(PACKAGES, options).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    throw new LocalError('BROWSER_MISSING', messageOf(error), { cause: error });
  });
  const found = await lookForChromium(options);
  if (typeof found !== 'string') return found;
  throw new LocalError('BROWSER_MISSING', found);
}

/** The browser, or why there is none. */
async function lookForChromium({ env, signal }: EnsureChromiumOptions): Promise<ChromiumBinary | string> {
  const paths = await Promise.all(NAMES.map(async (name) => await findInPath(name, env)));
  const applications = process.platform === 'darwin' ? APPLICATIONS : [];
  const reasons: string[] = [];
  for (const path of [...paths, ...applications]) {
    if (path === undefined || !(await isThere(path))) continue;
    // Elsewhere than Debian a program of that name may only tell how to get one.
    const { stdout } = await attempt(path, ['--version'], { timeoutMs: 5 * 60_000, signal });
    const version = /(?:Chromium|Chrome)[^\d]*(\d+(?:\.\d+){3})/.exec(stdout)?.[1];
    if (version !== undefined) return { path, version };
    reasons.push(`${path} does not run`);
  }
  return reasons.join('; ') || 'neither Chromium nor Chrome is in PATH';
}
