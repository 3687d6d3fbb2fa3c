/** The page of `kubectl chaosdemo ui` and the report in a real browser, of real runs on a real API server. */

import { pathToFileURL } from 'node:url';
import { messageOf, TestbedError } from '@chaosdemo/testbed';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ChaosDemo } from '../../src/api/index.ts';
import type { Ui } from '../../src/cli/plugin/ui/server.ts';
import { readSource } from '../../src/cli/report/read.ts';
import { type Report, reportOf } from '../../src/cli/report/report.ts';
import { writeAll } from '../../src/cli/report/write.ts';
import { launchBrowser } from '../kit/browser.ts';
import { type ChromiumBinary, ensureChromium } from '../kit/chromium.ts';
import { drift, ghosts } from '../kit/demo.ts';
import { folderOfFile } from '../kit/folder.ts';
import { isNightly, rows } from '../kit/nightly.ts';
import { World } from '../kit/world.ts';
import {
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
let ui: Ui;
const folder = folderOfFile();
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
  ui = await servePage(world.environment.controlPlane.kubeconfig, world.namespace, 'done');
});
afterAll(async () => {
  await ui?.close();
  await browser?.close();
  await world?.stop();
});
beforeEach(({ skip }) => {
  if (missing !== undefined) skip(missing);
});

describe('the page', () => {
  it('the page shows chapters, plots and results as in the API', async () => {
    const { requested, page } = await openWindow(browser);
    await page.goto(ui.address);
    const { chapters = [], scenarios = [] } = ended.status ?? {};
    const timeline = page.getByRole('region', { name: 'Timeline' }).getByRole('listitem');
    const labels = await timeline.locator('.label').allInnerTexts();
    expect(labels.filter((label) => !label.startsWith('fault of '))).toEqual(
      chapters.map(({ title }) => title),
    );
    expect(labels.filter((label) => label.startsWith('fault of '))).toEqual(
      scenarios.flatMap(({ fault, name }) => (fault?.startedAt ? [`fault of ${name}`] : [])),
    );
    for (const { measures = {}, message = '', name } of scenarios) {
      const type = name === 'drift' ? 'Counter Drift' : 'Ghost Allowing';
      const section = page.getByRole('region', { name: type });
      expect(await section.innerText()).toContain(message);
      const decides = name === 'drift' ? 'drift' : 'admitted';
      const figure = `${decides} (at least )?${measures[decides]} requests?\\b`;
      expect(await section.innerText()).toMatch(new RegExp(figure));
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
    await world.untilWaiting('live', 1);
    const own = await servePage(world.environment.controlPlane.kubeconfig, world.namespace, 'live');
    onTestFinished(async () => await own.close());
    await page.goto(own.address);
    await page.getByText('live', { exact: true }).waitFor();
    await page.evaluate('globalThis.loadedOnce = true');
    const now = page.getByRole('heading', { level: 1 });
    expect(await now.innerText()).toMatch(/Welcome/);
    expect(await problemsOf(page)).toEqual([]);

    await now.selectText();
    await world.annotate('live', 'advance', '1/1');
    await world.untilWaiting('live', 2);
    await page.locator('#state.state-held').waitFor();
    expect(await now.innerText()).toMatch(/Welcome/);
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { level: 1, name: 'Cluster Health' }).waitFor();
    expect(await page.locator('#announced').innerText()).toContain('Cluster Health');
    await page.getByText('live', { exact: true }).waitFor();

    await world.patch('live', { spec: { pace: { mode: 'Auto', dwell: '0s' } } });
    await page.getByRole('region', { name: 'Ghost Allowing' }).getByRole('img').first().waitFor();
    await page.getByRole('heading', { name: 'What to do' }).waitFor();
    const status = await world.ended('live');
    expect(await page.title()).toBe(`${status.phase}: run 1 of ${world.namespace}/live`);
    expect(await page.evaluate('globalThis.loadedOnce')).toBe(true);
  });

  it.runIf(isNightly)('has names and roles for all of it, and enough contrast, dark and light', async () => {
    const grounds: string[] = [];
    const seen = [
      { colorScheme: 'light', width: 1024 },
      { colorScheme: 'dark', width: 390 },
    ] as const;
    for (const { colorScheme, width } of seen) {
      const { page } = await openWindow(browser, { colorScheme, viewport: { width, height: 800 } });
      await page.goto(ui.address);
      expect({ colorScheme, problems: await problemsOf(page) }).toEqual({ colorScheme, problems: [] });
      grounds.push(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
      const main = await page.getByRole('main').ariaSnapshot();
      expect(main).toMatch(/heading ".+" \[level=1\]/);
      expect(main).toMatch(/- img "Counts of the pods against the store\./);
      expect(main).toContain('region "Timeline"');
    }
    expect(new Set(grounds).size).toBe(2);
  });

  it.each(rows(SIZES))('fits a window %i wide', async (width) => {
    const { page } = await openWindow(browser, { viewport: { width, height: 900 } });
    await page.goto(ui.address);
    expect(await overflowOf(page)).toBe(0);
  });
});

it('the page shows every text of a status and of evidence as text', async () => {
  const namespace = await plantHostileRun(world, ended);
  const hostile = await servePage(world.environment.controlPlane.kubeconfig, namespace, 'done');
  onTestFinished(async () => await hostile.close());
  const { requested, page } = await openWindow(browser, { viewport: { width: 390, height: 800 } });
  await page.goto(hostile.address);
  const text = await page.locator('body').innerText();
  expect(text).toContain('<img src=x onerror=alert(1)>');
  expect(text).not.toMatch(/[^\P{Cc}\n\t]|\u202e/u);
  expect(await page.locator('img, iframe, main script, [onerror], [href^=javascript]').count()).toBe(0);
  expect(await page.getByRole('main').getByRole('img').count()).toBeGreaterThanOrEqual(6);
  expect(await overflowOf(page)).toBe(0);
  expect(strangersOf({ requested })).toEqual([]);
});

it('the report as a file needs no script or other file, and links claims to sources', async () => {
  const source = await readSource(world.client, ended, world.signal);
  const [file = ''] = await writeAll(source, reportOf(source) as Report, { reportDir: folder });
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

it('a page whose server has ended reports that, and stays as it was', async () => {
  const own = await servePage(world.environment.controlPlane.kubeconfig, world.namespace, 'done');
  const { page } = await openWindow(browser, {
    expected: /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/,
  });
  await page.goto(own.address);
  await page.getByText('live', { exact: true }).waitFor();
  await own.close();
  await page.locator('#state.state-lost').waitFor();
  expect(await page.getByText(`${world.namespace}/done`).count()).toBeGreaterThan(0);
});
