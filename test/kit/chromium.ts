/** Finds a Chromium that can be started, or has Debian's package installed where that is possible. */

import { attempt, findInPath, pathExists } from '@chaosdemo/testbed';
import { installMissing, type PackageOptions } from '../../tools/binaries/debian-packages.ts';
import { fixOf, ToolError } from '../../tools/errors.ts';

/** A browser that was seen running. */
export interface ChromiumBinary {
  readonly path: string;
  /** `156.0.8078.108` */
  readonly version: string;
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
export async function ensureChromium(options: PackageOptions): Promise<ChromiumBinary> {
  const present = await lookForChromium(options);
  if (typeof present !== 'string') return present;

  await installMissing(
    {
      fix: fixOf('BROWSER_MISSING'),
      found: present,
      packages: PACKAGES,
      what: 'the Debian package chromium',
    },
    options,
  );
  const found = await lookForChromium(options);
  if (typeof found !== 'string') return found;
  throw new ToolError('BROWSER_MISSING', found);
}

/** The browser, or why there is none. */
async function lookForChromium({ env, signal }: PackageOptions): Promise<ChromiumBinary | string> {
  const paths = await Promise.all(NAMES.map(async (name) => await findInPath(name, env)));
  const applications = process.platform === 'darwin' ? APPLICATIONS : [];
  const reasons: string[] = [];
  for (const path of [...paths, ...applications]) {
    if (path === undefined || !(await pathExists(path))) continue;
    // Outside Debian, a program of that name may only print how to get one.
    const { stdout } = await attempt(path, ['--version'], { timeoutMs: 5 * 60_000, signal });
    const version = /(?:Chromium|Chrome)[^\d]*(\d+(?:\.\d+){3})/.exec(stdout)?.[1];
    if (version !== undefined) return { path, version };
    reasons.push(`${path} does not run`);
  }
  return reasons.join('; ') || 'neither Chromium nor Chrome is in PATH';
}
