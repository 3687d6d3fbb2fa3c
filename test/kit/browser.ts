/** A real Chromium without a window, for tests of pages and for pictures of them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import type { ChromiumBinary } from './chromium.ts';

/** Which browser is started, and what ends it. */
export interface LaunchOptions extends Pick<ChromiumBinary, 'path'> {
  /** Whether the caller closes it on Ctrl-C as well; else that ends the browser, and this process at once. */
  readonly handlesSignals?: boolean;
}

/** The caller ends it with `close`, which removes its files. */
export async function launchBrowser({ handlesSignals = false, path }: LaunchOptions): Promise<Browser> {
  // Debian's starts with what it finds in the home of its user, and leaves something there.
  const home = await mkdtemp(join(tmpdir(), 'chaosdemo-browser-'));
  const removeHome = async (): Promise<void> =>
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  try {
    const browser = await chromium.launch({
      executablePath: path,
      handleSIGINT: !handlesSignals,
      handleSIGTERM: !handlesSignals,
      handleSIGHUP: !handlesSignals,
      env: { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: home, TZ: 'UTC', LANG: 'C.UTF-8' },
      // It shows only pages of this repository; the sandbox does not work as root, nor in most containers.
      chromiumSandbox: false,
      args: [
        // A browser sends requests in the background. None of them leaves this machine.
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost',
        '--no-proxy-server',
        '--disable-gpu',
      ],
    });
    return Object.assign(browser, {
      close: closing(browser, removeHome),
    });
  } catch (error) {
    await removeHome();
    throw error;
  }
}

function closing(browser: Browser, after: () => Promise<void>): Browser['close'] {
  const close = browser.close.bind(browser);
  return async (options) => {
    try {
      await close(options);
    } finally {
      await after();
    }
  };
}
