/** A window of a real browser, and what tests check in every page: problems, accessibility, width. */
import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { connect } from '../../../src/cli/plugin/connection.ts';
import type { Ui } from '../../../src/cli/plugin/ui/server.ts';
import { openUi } from '../../../src/cli/plugin/ui/server.ts';

/** The timeout for a page, which may be slow on a busy machine. */
export const PATIENCE_MS = 60_000;

export interface TestWindow {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Addresses of all requests so far. */
  readonly requested: readonly string[];
}

/**
 * Opens a window with a new profile, and closes it with the test. The test fails on any problem that the browser
 * reports, such as an error on the console or a violation of the policy, except for those `expected`.
 */
export async function openWindow(
  browser: Browser,
  { expected, ...options }: BrowserContextOptions & { readonly expected?: RegExp } = {},
): Promise<TestWindow> {
  const context = await browser.newContext({
    viewport: { width: 1024, height: 800 },
    reducedMotion: 'reduce',
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  const requested: string[] = [];
  context.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('request', (request) => requested.push(request.url()));
  onTestFinished(async () => {
    await context.close();
    expect(complaints.filter((each) => !expected?.test(each))).toEqual([]);
  });
  return { context, page: await context.newPage(), requested };
}

/** Serves the page of `kubectl chaosdemo ui` with the rights of a kubeconfig; the caller closes it. */
export async function servePage(kubeconfig: string, namespace: string, name: string): Promise<Ui> {
  const connection = connect({ kubeconfig, namespace });
  const page = await openUi({ connection, name, port: 0, print: () => {} });
  return {
    address: page.address,
    close: async () => {
      await page.close();
      await connection.client.close();
    },
  };
}

interface AxeFindings {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** What the rules of accessibility have against the page as it is now. */
export async function problemsOf(page: Page): Promise<string[]> {
  // The debugger puts it there, which the policy of the page does not bind.
  await page.evaluate(await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8'));
  const { violations } = await page.evaluate<AxeFindings>('axe.run()');
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ failureSummary, html }) => `${id}: ${html}: ${failureSummary}`),
  );
}

/** Pixels by which the page is wider than its window. */
export async function overflowOf(page: Page): Promise<number> {
  return await page.evaluate('document.documentElement.scrollWidth - innerWidth');
}

/** Requests that left loopback. */
export function strangersOf({ requested }: Pick<TestWindow, 'requested'>): string[] {
  return requested.filter((url) => !url.startsWith('http://127.0.0.1:') && !url.startsWith('data:'));
}
