/** Pictures of the page of `kubectl chaosdemo ui` in a real browser, in the colours of a light and a dark system. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { until } from '../../test/kit/until.ts';
import { PAGE_WIDTH } from './shown.ts';

const PLUGIN = fileURLToPath(new URL('../../src/cli/plugin/main.ts', import.meta.url));
const SCHEMES = ['light', 'dark'] as const;
/** Around the part that is pictured, in CSS pixels. */
const MARGIN = 20;
/** Of 100: letters have no shadows, and a picture takes half of what it would as PNG. */
const QUALITY = 88;

/** Which part of a page is pictured. */
export interface PagePicture {
  /** What the names of the files begin with. */
  readonly file: string;
  /** Elements that it reaches from and to, from side to side. */
  readonly from: string;
  readonly to: string;
}

/** Serves the page of a run with the rights of `kubeconfig` while `use` runs, which gets the address with the token. */
export async function withPage<T>(
  kubeconfig: string,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  use: (address: URL) => Promise<T>,
): Promise<T> {
  const child = spawn(process.execPath, [PLUGIN, 'ui', name, '-n', namespace, '--kubeconfig', kubeconfig], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value } = await lines.next();
    if (value === undefined) throw new Error('kubectl chaosdemo ui ended at once');
    return await use(new URL(value));
  } finally {
    child.kill('SIGINT');
    await ended;
  }
}

/** Takes both pictures of each; returns them by the names of their files. */
export async function pagePictures(
  browser: Browser,
  address: URL,
  wanted: readonly PagePicture[],
): Promise<Record<string, Buffer>> {
  const pictures: Record<string, Buffer> = {};
  for (const colorScheme of SCHEMES) {
    const context = await browser.newContext({
      viewport: { width: PAGE_WIDTH, height: 800 },
      deviceScaleFactor: 2,
      colorScheme,
      reducedMotion: 'reduce',
    });
    try {
      const page = await context.newPage();
      for (const { file, from, to } of wanted) {
        await page.goto(address.href);
        await page.getByText('live', { exact: true }).waitFor();
        pictures[`${file}-${colorScheme}.webp`] = await picture(page, from, to);
      }
    } finally {
      await context.close();
    }
  }
  return pictures;
}

/** Playwright itself writes no WebP. */
async function picture(page: Page, from: string, to: string): Promise<Buffer> {
  // A live page replaces parts of itself: an element that is gone now comes back.
  const placeOf = async (selector: string) =>
    await until(async () => await page.locator(selector).boundingBox(), {
      what: `the page to have ${selector}`,
      deadlineMs: 10_000,
    });
  const [first, last] = [await placeOf(from), await placeOf(to)];
  const y = Math.max(0, first.y - MARGIN);
  const height = last.y + last.height + MARGIN - y;
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', {
    format: 'webp',
    quality: QUALITY,
    captureBeyondViewport: true,
    clip: { x: 0, y, width: PAGE_WIDTH, height, scale: 1 },
  });
  return Buffer.from(data, 'base64');
}
