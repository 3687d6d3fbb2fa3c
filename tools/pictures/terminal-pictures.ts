/** Pictures of the live view on a real terminal, while it follows a real run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TestTerminal } from '../../test/kit/terminal.ts';
import { type Frame, type Screen, screenSvg, screensSvg } from './screen-svg.ts';
import { TERMINAL } from './shown.ts';

const PLUGIN = fileURLToPath(new URL('../../src/cli/plugin/main.ts', import.meta.url));
const DEMO = fileURLToPath(new URL('../demo/main.ts', import.meta.url));
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
  const looks = await looksAt([PLUGIN, 'watch', name, '-n', namespace], isOver, signal, kubeconfig);
  return picturesOf(looks, `kubectl chaosdemo watch ${name} -n ${namespace}`);
}

/** Runs the demo on a limiter of the survey; returns a picture of it while its fault is on. @throws if none shows that it hangs */
export async function limiterPicture(limiter: string, signal: AbortSignal): Promise<Record<string, string>> {
  const hasEnded = (lines: readonly string[]): boolean => lines.some((line) => line.startsWith('Verdict:'));
  const looks = await looksAt([DEMO, '--limiter', limiter], hasEnded, signal);
  const hanging = looks.findLast(
    ({ text }) => /outage: fault on, [1-4] s left/.test(text) && text.includes('\nWithout a response'),
  );
  if (!hanging) throw new Error(`${limiter} was not seen to hang while its fault was on`);
  return {
    'watch-limiter.svg': screenSvg(hanging.screen, {
      title: `The live view of a run on ${limiter} with default settings`,
      about: textOf(hanging),
      command: `npm run demo -- --limiter ${limiter}`,
    }),
  };
}

/** Runs a program with the live view to its end. */
async function looksAt(
  args: readonly string[],
  isOver: (lines: readonly string[]) => boolean,
  signal: AbortSignal,
  kubeconfig?: string,
): Promise<Look[]> {
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-pictures-'));
  const env = { ...(kubeconfig !== undefined && { KUBECONFIG: kubeconfig }), TTY_FILE: join(folder, 'tty') };
  const terminal = new TestTerminal(args, { ...TERMINAL, env });
  try {
    return await watched(terminal, isOver, signal);
  } finally {
    terminal.type('q');
    await Promise.race([terminal.ended, sleep(5_000)]);
    terminal.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What was to be seen from the first chapter to the end of the run, and a moment longer. */
async function watched(
  terminal: TestTerminal,
  isOver: (lines: readonly string[]) => boolean,
  signal: AbortSignal,
): Promise<Look[]> {
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
    }
    if (endMs === Infinity && text === before && isOver(lines)) endMs = performance.now() + AFTERWARDS_MS;
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
    /• counter-drift +violation/.test(text) &&
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

function textOf({ lines }: Look): string {
  return lines.filter((line) => line.trim() !== '').join('\n');
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
