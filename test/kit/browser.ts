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

/** Whoever has started it ends it by `close`, which leaves nothing. */
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
      // It shows pages of our own alone; root has no sandbox, nor have most containers.
      chromiumSandbox: false,
      args: [
        // A browser asks for many things of its own accord. None of it leaves this machine.
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
