/** How often runs on the same limiter end with the same word, on a quiet machine and beside busy loops. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChaosDemo } from '../../src/api/index.ts';
import type { Benchmark, Row } from '../benchmark.ts';

/** Third-party limiters of the survey, with the word that the survey has. */
const LIMITERS = [
  { name: 'express-rate-limit', variant: 'default', word: 'Hangs' },
  { name: 'fastify-rate-limit', variant: 'timeout', word: 'FailsClosed' },
  { name: 'rate-limiter-flexible', variant: 'timeout-insurance', word: 'FailsOpen' },
] as const;

/** A run takes half a minute: 30 of each take 45 minutes for each load. */
const RUNS = Number(process.env['RUNS'] ?? 30);
/** Busy loops beside the run. */
const LOADS = [0, 20] as const;

const bootstrap = fileURLToPath(new URL('../../bootstrap.mjs', import.meta.url));

export const stability: Benchmark = {
  name: 'stability',
  isLong: true,
  what: 'share of runs on a third-party limiter that end with its word, without load and beside 20 busy loops; takes 90 minutes, or RUNS=5 for fewer runs',
  async run({ say, signal }) {
    const rows: Row[] = [];
    for (const load of LOADS) {
      const loops = Array.from({ length: load }, () => spawn(process.execPath, ['-e', 'for (;;);']));
      try {
        for (const limiter of LIMITERS) rows.push(...(await wordsOf(limiter, load, say, signal)));
      } finally {
        for (const loop of loops) loop.kill('SIGKILL');
      }
    }
    return rows;
  },
};

async function wordsOf(
  { name, variant, word }: (typeof LIMITERS)[number],
  load: number,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Row[]> {
  const words: string[] = [];
  for (let run = 1; run <= RUNS; run += 1) {
    const found = await wordOf(name, variant, signal);
    words.push(found);
    say(`load ${load}, ${name} (${variant}), run ${run}: ${found}`);
  }
  const inconclusive = words.filter((each) => each === 'Inconclusive').length;
  const right = words.filter((each) => each === word).length;
  const note = `${RUNS} runs; words: ${[...new Set(words)].sort().join(', ')}`;
  const what = `${name} (${variant}), ${load} busy loops`;
  return [
    { what: `${what}: ${word}`, value: right, unit: '', baseline: { what: 'all runs', value: RUNS }, note },
    {
      what: `${what}: Inconclusive`,
      value: inconclusive,
      unit: '',
      baseline: { what: 'all runs', value: RUNS },
    },
  ];
}

/** The word of the outage; Inconclusive if it has none. @throws if the command did not run to a verdict */
async function wordOf(name: string, variant: string, signal: AbortSignal): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-stability-'));
  try {
    const args = ['demo', '--plain', `--limiter=${name}`, `--variant=${variant}`, `--report-dir=${folder}`];
    const child = spawn(process.execPath, [bootstrap, ...args], { stdio: 'ignore', signal });
    await ended(child);
    const { status } = JSON.parse(await readFile(join(folder, 'chaosdemo.json'), 'utf8')) as ChaosDemo;
    const outage = status?.scenarios?.find(({ name: scenario }) => scenario === 'outage');
    if (outage?.result === 'Inconclusive') return 'Inconclusive';
    return /^\w+/.exec(outage?.summary ?? '')?.[0] ?? 'Inconclusive';
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function ended(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
}
