/** The page of `kubectl chaosdemo ui` and the report in a real browser, of real runs on a real API server. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf, TestbedError } from '@chaosdemo/testbed';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ChaosDemo } from '../../src/api/index.ts';
import type { OpenUi } from '../../src/cli/plugin/ui/ui.ts';
import { reportOnRun } from '../../src/cli/report/write.ts';
import { launchBrowser } from '../kit/browser.ts';
import { type ChromiumBinary, ensureChromium } from '../kit/chromium.ts';
import { drift, ghosts } from '../kit/demo.ts';
import { isNightly, rows } from '../kit/nightly.ts';
import { waitingChapter } from '../kit/status.ts';
import { World } from '../kit/world.ts';
import {
  addressOf,
  openWindow,
  overflowOf,
  PATIENCE_MS,
  problemsOf,
  servePage,
  strangersOf,
} from './support/browser-window.ts';
import { plantHostileRun } from './support/hostile-run.ts';

vi.setConfig({ testTimeout: 5 * PATIENCE_MS });

const SIZES = [390, 1024, 1600];

/** Why there is no browser; pipelines fail for it, people get a message. */
let missing: string | undefined;
let chromium: ChromiumBinary;
let browser: Browser;
let world: World;
let ui: OpenUi;
let folder: string;
/** The object with two runs that have ended, as it is then. */
let ended: ChaosDemo;

beforeAll(async () => {
  const progress = (line: string): void => void process.stdout.write(`[browser] ${line}\n`);
  try {
    chromium = await ensureChromium({ progress });
    browser = await launchBrowser(chromium);
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    missing = `no browser: ${messageOf(error)}`;
    progress(`these tests are skipped: ${missing}. ${error instanceof TestbedError ? error.remedy : ''}`);
    return;
  }
  folder = await mkdtemp(join(tmpdir(), 'chaosdemo-page-'));
  world = await World.start('approximate');
  await world.applySpec('done', { runId: 'first', scenarios: [ghosts()] });
  await world.ended('done');
  await world.patch('done', { spec: { runId: 'second', scenarios: [drift(), ghosts()] } });
  await world.untilStatus(
    'done',
    'its second run to end',
    ({ run }) => run?.number === 2 && run.phase !== undefined,
  );
  ended = await world.object('done');
  ui = await servePage(world.environment.controlPlane.kubeconfig, world.namespace);
});
afterAll(async () => {
  await ui?.close();
  await browser?.close();
  await world?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});
beforeEach(({ skip }) => {
  if (missing !== undefined) skip(missing);
});

const pathOf = (name: string): string => `/runs/${world.namespace}/${name}`;
const at = (path: string): string => addressOf(ui, path);

describe('the page', () => {
  it('the page lists runs, and shows chapters, plots and results as in the API', async () => {
    const { requested, page } = await openWindow(browser);
    await page.goto(ui.address);
    expect(page.url()).toBe(new URL('/', ui.address).href);
    const { chapters = [], scenarios = [] } = ended.status ?? {};
    const item = page.getByRole('listitem').filter({ hasText: `${world.namespace}/done` });
    expect(await item.innerText()).toContain(`run 2 · ${ended.status?.result}`);
    await item.getByRole('link').click();
    await page.waitForURL(`**${pathOf('done')}`);

    const timeline = page.getByRole('region', { name: 'Timeline' }).getByRole('listitem');
    const labels = await timeline.locator('.label').allInnerTexts();
    expect(labels.filter((label) => !label.startsWith('fault of '))).toEqual(
      chapters.map(({ title }) => title),
    );
    expect(labels.filter((label) => label.startsWith('fault of '))).toEqual(
      scenarios.flatMap(({ fault, name }) => (fault?.startedAt ? [`fault of ${name}`] : [])),
    );
    for (const { measures = [], message = '', name } of scenarios) {
      const type = name === 'drift' ? 'Counter Drift' : 'Ghost Allowing';
      const section = page.getByRole('region', { name: type });
      expect(await section.innerText()).toContain(message);
      const [first] = measures;
      if (!first) throw new Error(`nothing was measured of ${name}`);
      const { name: decides, value } = first;
      expect(await section.innerText()).toMatch(new RegExp(`${decides} (at least )?${value} requests?\\b`));
      expect(await section.getByRole('img').count()).toBeGreaterThanOrEqual(3);
    }
    expect(
      await page.getByRole('region', { name: 'Counter Drift' }).getByRole('table').first().innerText(),
    ).toContain('ratelimiter-0');
    expect(strangersOf({ requested })).toEqual([]);
  });

  it('the page follows an active run without reload, and keeps the selection', async () => {
    const { page } = await openWindow(browser);
    await world.applySpec('live', { pace: { mode: 'Manual', dwell: '0s' }, scenarios: [ghosts()] });
    await world.untilStatus('live', 'chapter 1 to wait', (now) => waitingChapter(now) === 1);
    await page.goto(at(pathOf('live')));
    await page.getByText('live', { exact: true }).waitFor();
    await page.evaluate('globalThis.loadedOnce = true');
    const now = page.locator('[aria-current=step]');
    expect(await now.innerText()).toMatch(/1 Welcome/);
    expect(await problemsOf(page)).toEqual([]);

    // Text is selected right after the page has requested its new version.
    const { promise: selected, resolve: release } = Promise.withResolvers<void>();
    const { promise: requested, resolve: hold } = Promise.withResolvers<void>();
    await page.route(`**${pathOf('live')}`, async (route) => {
      hold();
      await selected;
      await route.continue();
    });
    await world.annotate('live', 'advance', '1/1');
    await world.untilStatus('live', 'chapter 2 to wait', (status) => waitingChapter(status) === 2);
    await requested;
    await page.locator('.chapters li').last().selectText();
    release();
    await page.locator('#state.state-held').waitFor();
    expect(await now.innerText()).toMatch(/1 Welcome/);
    await page.keyboard.press('Escape');
    await page.locator('[aria-current=step]', { hasText: '2 Cluster Health' }).waitFor();
    expect(await page.locator('#announced').innerText()).toContain('Cluster Health');
    await page.getByText('live', { exact: true }).waitFor();

    await world.patch('live', { spec: { pace: { mode: 'Auto', dwell: '0s' } } });
    await page.getByRole('region', { name: 'Ghost Allowing' }).getByRole('img').first().waitFor();
    await page.getByRole('heading', { name: 'What to do' }).waitFor();
    const status = await world.ended('live');
    expect(await page.title()).toBe(`${status.phase}: run 1 of ${world.namespace}/live`);
    expect(await page.evaluate('globalThis.loadedOnce')).toBe(true);
  });

  it.runIf(isNightly)('the page can be used with the keyboard only', async () => {
    const { page } = await openWindow(browser);
    await page.goto(ui.address);
    const focused = async (): Promise<string> => await page.evaluate('document.activeElement.textContent');
    const link = `${world.namespace}/done`;
    const order: string[] = [];
    while (order.at(-1) !== link && order.length < 12) {
      await page.keyboard.press('Tab');
      order.push(await focused());
    }
    expect(order.slice(0, 2)).toEqual(['Skip to the content', 'All ChaosDemos']);
    expect(order.at(-1)).toBe(link);
    const ring = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
    expect(ring).toBe('solid');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**${pathOf('done')}`);

    await page.keyboard.press('Tab');
    const skip = page.getByRole('link', { name: 'Skip to the content' });
    expect((await skip.boundingBox())?.x).toBeGreaterThanOrEqual(0);
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.press('Tab');
    expect(await page.evaluate("document.activeElement.getAttribute('href')")).toBe('#scenario-1');

    const details = page.locator('figure details').first();
    await details.locator('summary').focus();
    await page.keyboard.press('Enter');
    expect(await details.getByRole('table').isVisible()).toBe(true);
    await page.keyboard.press('Enter');
    expect(await details.getByRole('table').isVisible()).toBe(false);
  });

  it.runIf(isNightly)('has names and roles for all of it, and enough contrast, dark and light', async () => {
    const grounds: string[] = [];
    const seen = [
      { colorScheme: 'light', width: 1024, paths: ['/', pathOf('done'), `${pathOf('done')}/1/2`] },
      { colorScheme: 'dark', width: 390, paths: [pathOf('done')] },
    ] as const;
    for (const { colorScheme, paths, width } of seen) {
      const { page } = await openWindow(browser, { colorScheme, viewport: { width, height: 800 } });
      for (const path of paths) {
        await page.goto(at(path));
        expect({ path, colorScheme, problems: await problemsOf(page) }).toEqual({
          path,
          colorScheme,
          problems: [],
        });
      }
      grounds.push(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
      await page.goto(at(pathOf('done')));
      const main = await page.getByRole('main').ariaSnapshot();
      expect(main).toMatch(/heading ".+" \[level=1\]/);
      expect(main).toMatch(/- img "Counts of the pods against the store\./);
      expect(main).toContain('region "Timeline"');
    }
    expect(new Set(grounds).size).toBe(2);
  });

  it.each(rows(SIZES))('fits a window %i wide', async (width) => {
    const { page } = await openWindow(browser, { viewport: { width, height: 900 } });
    for (const path of ['/', pathOf('done'), `${pathOf('done')}/1/2`]) {
      await page.goto(at(path));
      expect({ path, overflow: await overflowOf(page) }).toEqual({ path, overflow: 0 });
    }
  });
});

it('the page shows every text of a status and of evidence as text', async () => {
  const namespace = await plantHostileRun(world, ended);
  const hostile = await servePage(world.environment.controlPlane.kubeconfig, namespace);
  onTestFinished(async () => await hostile.close());
  const { requested, page } = await openWindow(browser, { viewport: { width: 390, height: 800 } });
  for (const [path, plots] of [
    ['/', 0],
    [`/runs/${namespace}/done`, 6],
  ] as const) {
    await page.goto(addressOf(hostile, path));
    const text = await page.locator('body').innerText();
    expect(text).toContain('<img src=x onerror=alert(1)>');
    expect(text).not.toMatch(/[^\P{Cc}\n\t]|\u202e/u);
    expect(await page.locator('img, iframe, main script, [onerror], [href^=javascript]').count()).toBe(0);
    expect(await page.getByRole('main').getByRole('img').count()).toBeGreaterThanOrEqual(plots);
    expect(await overflowOf(page)).toBe(0);
  }
  expect(strangersOf({ requested })).toEqual([]);
});

describe('the report as a file', () => {
  it('needs no script and no other file, and links claims to what they cite', async () => {
    const [file = ''] = await reportOnRun(
      world.environment.controlPlane.kubectl,
      ended,
      { reportDir: folder },
      world.signal,
    );
    const url = pathToFileURL(file).href;
    const { requested, page } = await openWindow(browser, { javaScriptEnabled: true });
    await page.goto(url);
    expect(await page.locator('script, link, img, iframe, [src]').count()).toBe(0);
    expect(await page.getByRole('heading', { level: 1 }).innerText()).not.toBe('');
    const refs = await page.locator('.claims a').all();
    for (const ref of refs.slice(0, 3)) {
      await ref.click();
      expect(await page.locator(':target').count()).toBe(1);
    }
    for (const width of SIZES) {
      await page.setViewportSize({ width, height: 900 });
      expect({ width, overflow: await overflowOf(page) }).toEqual({ width, overflow: 0 });
    }
    expect(await problemsOf(page)).toEqual([]);
    // On paper, nothing can be opened.
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = false');
    await page.emulateMedia({ media: 'print' });
    const folded = await page.locator('details > :not(summary)').all();
    expect(folded.length).toBeGreaterThan(0);
    for (const each of folded) expect((await each.boundingBox())?.height ?? 0).toBeGreaterThan(0);
    expect(requested.filter((each) => !each.startsWith(url))).toEqual([]);
  });
});

it('a page whose server has ended reports that, and stays as it was', async () => {
  const own = await servePage(world.environment.controlPlane.kubeconfig, world.namespace);
  const { page } = await openWindow(browser, {
    expected: /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/,
  });
  await page.goto(own.address);
  await page.getByText('live', { exact: true }).waitFor();
  await own.close();
  await page.locator('#state.state-lost').waitFor();
  expect(await page.getByRole('link', { name: `${world.namespace}/done` }).count()).toBe(1);
});
