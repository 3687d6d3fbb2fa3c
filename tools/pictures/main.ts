/**
 * `npm run pictures`: runs the demo on this machine, and makes of it the pictures in docs/pictures. Nothing in them
 * is drawn by hand: they are the screen of a terminal and pages in a browser, as the run had them.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { runProgram } from '../../src/cli/program.ts';
import { NO_COOLDOWN, startOperator } from '../../src/local/operator.ts';
import { launchBrowser } from '../../test/kit/browser.ts';
import { ensureChromium } from '../../test/kit/chromium.ts';
import { sample } from '../../test/kit/demo.ts';
import { type Environment, startEnvironment } from '../../test/kit/environment.ts';
import { withoutTerminal } from '../../test/kit/terminal.ts';
import { FOLDER, fileHash, MANIFEST, type Manifest } from './manifest.ts';
import { pagePictures, withPage } from './page-pictures.ts';
import { versions } from './shown.ts';
import { limiterPicture, terminalPictures } from './terminal-pictures.ts';

const command = new Command('npm run pictures')
  .description(
    'Runs a demo on this machine, as npm run demo does, and makes of it the pictures in docs/pictures: the live view in a terminal, and pages in a browser. That takes two minutes on an idle machine. It needs util-linux for a terminal, and Chromium or Chrome; on Debian, root gets that.',
  )
  .addHelpText(
    'after',
    '\nExit status: 0, 1 if a run did not end as the pictures show, 130 stopped by Ctrl-C.',
  );

const say = (line: string): void => void process.stderr.write(`${line}\n`);

type Pictures = Readonly<Record<string, string | Uint8Array>>;

async function takePictures(environment: Environment, signal: AbortSignal): Promise<Pictures> {
  const { controlPlane, namespace } = environment;
  const { kubeconfig, kubectl } = controlPlane;
  const chromium = await ensureChromium({ progress: say, signal });
  const apply = async (file: string, name: string) =>
    await kubectl.apply([await sample(file, { name, namespace })], { signal });
  say('demo: a run in the terminal');
  await apply('demo.yaml', 'demo');
  const terminal = await terminalPictures({ kubeconfig, namespace, name: 'demo', signal });

  // The driver would end this process before the environment is stopped.
  const browser = await launchBrowser({ path: chromium.path, handlesSignals: true });
  try {
    return await withPage(kubeconfig, { name: 'demo', namespace }, async (address) => {
      say('demo: its page in the browser');
      const run = await pagePictures(browser, address, [
        { file: 'page-run', from: 'body', to: 'section.todo' },
        { file: 'page-plots', from: 'figure >> nth=0', to: 'figure >> nth=1' },
      ]);
      say('demo: a run on a limiter of the survey');
      return { ...terminal, ...run, ...(await limiterPicture('express-rate-limit', signal)) };
    });
  } finally {
    await browser.close();
  }
}

/** Puts them in the place of those that were there. */
async function store(pictures: Pictures): Promise<void> {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  for (const [file, content] of Object.entries(pictures)) {
    await writeFile(`${FOLDER}${file}`, content);
    say(`docs/pictures/${file}: ${Math.ceil(Buffer.byteLength(content) / 1024)} KiB`);
  }
  const manifest: Manifest = {
    madeBy: 'npm run pictures',
    shown: versions(),
    files: Object.fromEntries(Object.entries(pictures).map(([file, content]) => [file, fileHash(content)])),
  };
  await writeFile(`${FOLDER}${MANIFEST}`, `${JSON.stringify(manifest, null, 2)}\n`);
}

await runProgram(command, {
  failed: 1,
  async main(_, signal) {
    if (withoutTerminal) throw new Error('script of util-linux is needed, which gives a program a terminal');
    const environment = await startEnvironment({
      mode: 'approximate',
      onProgress: (step, message) => say(`${step}: ${message}`),
      signal,
    });
    try {
      const operator = await startOperator(environment, { args: [NO_COOLDOWN], signal });
      try {
        await store(await takePictures(environment, signal));
      } finally {
        await operator.stop();
      }
    } finally {
      await environment.stop();
    }
    return 0;
  },
});
