/** Pictures of `kubectl chaosdemo watch` on a real terminal, while it follows a real run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TestTerminal } from '../../test/kit/terminal.ts';
import { type Frame, type Screen, screenSvg, screensSvg } from './screen-svg.ts';
import { TERMINAL } from './shown.ts';

const PLUGIN = fileURLToPath(new URL('../../src/cli/plugin/main.ts', import.meta.url));
/** Milliseconds between two looks at the screen. */
const LOOK_MS = 120;
/** Screens of the moving picture at most: each makes it larger. */
const FRAMES = 25;
/** How long a demo may take: several times what it does. */
const DEADLINE_MS = 300_000;
/** How long is looked on after the verdict: the last events come then. */
const AFTERWARDS_MS = 2_000;
/** Seconds of the moving picture, and of them on the last screen. */
const MOVING = { seconds: 20, last: 5 };

interface Look {
  readonly atMs: number;
  readonly lines: readonly string[];
  readonly text: string;
  readonly screen: Screen;
}

/** Whose run is followed. */
export interface Watched {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly name: string;
  readonly signal: AbortSignal;
}

/** Follows the run to its verdict; returns pictures by the names of their files. @throws where a moment was not seen */
export async function terminalPictures(of: Watched): Promise<Record<string, string>> {
  const { kubeconfig, name, namespace, signal } = of;
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-pictures-'));
  const terminal = new TestTerminal([PLUGIN, 'watch', name, '-n', namespace], {
    ...TERMINAL,
    env: { KUBECONFIG: kubeconfig, TTY_FILE: join(folder, 'tty') },
  });
  try {
    return picturesOf(await watched(terminal, signal), `kubectl chaosdemo watch ${name} -n ${namespace}`);
  } finally {
    terminal.type('q');
    await Promise.race([terminal.ended, sleep(5_000)]);
    terminal.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What was to be seen from the first chapter to the verdict, and a moment longer. */
async function watched(terminal: TestTerminal, signal: AbortSignal): Promise<Look[]> {
  const looks: Look[] = [];
  const deadline = performance.now() + DEADLINE_MS;
  let endMs = Infinity;
  let before = '';
  while (performance.now() < Math.min(endMs, deadline)) {
    const { cells, lines } = terminal;
    const text = lines.join('\n');
    // What stands there twice is a whole picture, not the half of one.
    if (text === before && looks.at(-1)?.text !== text && /^[▶✓] {2}1 /m.test(text)) {
      looks.push({ atMs: performance.now(), lines, text, screen: screenOf(cells) });
      if (endMs === Infinity && isOver(lines)) endMs = performance.now() + AFTERWARDS_MS;
    }
    before = text;
    await sleep(LOOK_MS, undefined, { signal });
  }
  if (endMs === Infinity) throw new Error(`the run has no verdict. The terminal shows:\n${before}`);
  return looks;
}

/** The view leaves the last row of the terminal empty: a line there would scroll. */
function screenOf(cells: Screen['rows']): Screen {
  return { columns: TERMINAL.columns, rows: cells.slice(0, -1) };
}

function isOver([first = '']: readonly string[]): boolean {
  return / {2}(Succeeded|Failed|Errored|Aborted)\b/.test(first);
}

/** Drift is on, was detected, and the charts show it. */
function isTelling({ lines, text }: Look): boolean {
  return (
    /counter-drift: fault on, [2-4] s left/.test(text) &&
    /✗ counter-drift +violation/.test(text) &&
    lines.some((line) => line.startsWith('─ Measured in counter-drift'))
  );
}

function picturesOf(looks: readonly Look[], command: string): Record<string, string> {
  const [first, drifting, last] = [looks[0], looks.findLast(isTelling), looks.at(-1)];
  if (!drifting)
    throw new Error('counter drift was not seen as Violated while its fault was on. Was the machine busy?');
  if (!first || !last?.lines[0]?.includes('  Succeeded'))
    throw new Error(`the run did not succeed: ${last?.lines[0]}. Was the machine busy?`);
  const spanMs = last.atMs - first.atMs;
  const playing = MOVING.seconds - MOVING.last;
  const shown = thinned(looks, spanMs);
  const frames = shown.map(({ screen }, i): Frame => {
    const next = shown[i + 1];
    const seconds = next ? ((next.atMs - first.atMs) / spanMs) * playing : MOVING.seconds;
    return { screen, until: seconds / MOVING.seconds };
  });
  const textOf = ({ lines }: Look): string => lines.filter((line) => line.trim() !== '').join('\n');
  return {
    'watch-drift.svg': screenSvg(drifting.screen, {
      title: 'The live view of a run, while Redis accepts no writes',
      about: textOf(drifting),
      command,
    }),
    'watch-verdict.svg': screenSvg(last.screen, {
      title: 'The live view of a run that has Succeeded',
      about: textOf(last),
      command,
    }),
    'watch-run.svg': screensSvg(frames, MOVING.seconds, {
      title: `The live view of a run to its verdict: ${Math.round(spanMs / 1000)} seconds, shown in ${playing}`,
      about: textOf(last),
      command,
    }),
  };
}

/** The first and the last, and some between. */
function thinned(looks: readonly Look[], spanMs: number): Look[] {
  const kept: Look[] = [];
  for (const look of looks) {
    const sinceMs = look.atMs - (kept.at(-1)?.atMs ?? -Infinity);
    if (look === looks.at(-1) || sinceMs >= spanMs / (FRAMES - 1)) kept.push(look);
  }
  return kept;
}
