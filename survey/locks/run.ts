/**
 * Runs unmodified locks of libraries under faults of Redis, and writes the results: `node survey/locks/run.ts --help`.
 * Each is in the smallest service that its documentation describes, in three processes over one Redis.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { execa } from 'execa';
import pLimit from 'p-limit';
import { stringify } from 'yaml';
import type { ChaosDemo } from '../../src/api/index.ts';
import { wholeNumber } from '../../src/cli/option-value.ts';
import { runProgram } from '../../src/cli/program.ts';
import {
  FAULTS,
  type Fault,
  LIBRARIES,
  type Library,
  type LockRun,
  SETTINGS,
  type Setting,
  TIMEOUT_MS,
} from './libraries.ts';
import { lockPage, RESULTS, readRuns } from './page.ts';

const program = fileURLToPath(new URL('../../scripts/chaosdemo.mjs', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));

interface Options {
  readonly fault: readonly Fault[];
  readonly library: readonly string[];
  readonly times: number;
  readonly atOnce: number;
  readonly page?: true;
}

/** How the service of a folder is made from pinned packages, and started. */
const SERVICES = {
  node: { make: ['npm', 'ci', '--silent'], start: `node ${here}node/server.mjs` },
  python: {
    make: ['sh', '-c', 'python3 -m venv venv && venv/bin/pip install --quiet -r requirements.txt'],
    start: `${here}python/venv/bin/python ${here}python/server.py`,
  },
  go: { make: ['go', 'build', '-o', 'service', '.'], start: `${here}go/service` },
} as const;

async function run(library: Library, setting: Setting, fault: Fault): Promise<LockRun> {
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-locks-'));
  const [at, load] = [new Date().toISOString(), Number(loadavg()[0]?.toFixed(1))];
  try {
    const file = join(folder, 'lock.yaml');
    await writeFile(file, stringify(demoOf(library, fault)));
    const start = `--start=${SERVICES[library.folder].start}`;
    const timeout = setting === 'timeout' ? { COMMAND_TIMEOUT: String(TIMEOUT_MS) } : {};
    const { all } = await execa(
      process.execPath,
      [program, 'test', '--plain', `--file=${file}`, start, '--report-dir=report'],
      {
        cwd: folder,
        env: { LIB: library.lib, SLOTS: String(library.slots), ...timeout },
        reject: false,
        all: true,
      },
    );
    const text = await readFile(join(folder, 'report', 'chaosdemo.json'), 'utf8').catch(() => undefined);
    const { status } = (text === undefined ? {} : JSON.parse(text)) as Partial<ChaosDemo>;
    const [scenario] = status?.scenarios ?? [];
    const why = status?.message ?? all.split('\n').at(-1) ?? '';
    const [result, summary] = [scenario?.result ?? 'Errored', scenario?.summary ?? why];
    return { library: library.name, setting, fault, at, load, result, summary };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function demoOf({ prefix = '', slots }: Library, fault: Fault): object {
  const injected = fault === 'StallByProxy' ? { type: 'Stall', via: 'Proxy' } : { type: fault };
  return {
    apiVersion: 'chaosdemo.dev/v1alpha1',
    kind: 'ChaosDemo',
    metadata: { name: 'lock' },
    spec: {
      lock: {
        selector: { matchLabels: { app: 'api' } },
        acquire: { path: '/locks/$(key)', token: { pointer: '/token' } },
        release: { path: '/locks/$(key)', headers: [{ name: 'X-Lock-Token', value: '$(token)' }] },
        slots,
        ttl: '5s',
        redis: { serviceName: 'redis', key: `${prefix}lock:$(key)` },
        health: { path: '/healthz' },
      },
      scenarios: [{ name: 'lock', type: 'Exclusion', exclusion: { fault: injected } }],
    },
  };
}

async function survey({ atOnce, fault: faults, library: names, page, times }: Options): Promise<number> {
  const chosen = LIBRARIES.filter(({ name }) => names.includes(name));
  if (!page) {
    for (const folder of new Set(chosen.map(({ folder: each }) => each))) {
      const [command, ...args] = SERVICES[folder].make;
      await execa(command, args, { cwd: join(here, folder), stdout: 'inherit', stderr: 'inherit' });
    }
    const limit = pLimit(atOnce);
    const jobs = Array.from({ length: times }, () =>
      faults.flatMap((fault) =>
        chosen.flatMap((library) => SETTINGS.map((setting) => [library, setting, fault] as const)),
      ),
    ).flat();
    let runs = await readRuns();
    await Promise.all(
      jobs.map((job) =>
        limit(async () => {
          const done = await run(...job);
          const { fault, library, result, setting, summary } = done;
          process.stdout.write(`${library} (${setting}), ${fault}: ${result}, ${summary}\n`);
          runs = [...runs, done];
          await writeFile(RESULTS, `${JSON.stringify(runs, null, 1)}\n`);
        }),
      ),
    );
  }
  await writeFile(RESULTS.replace(/json$/, 'md'), lockPage(await readRuns()));
  return 0;
}

const command = new Command('survey:locks')
  .description(
    'Runs locks of libraries under faults of Redis, and adds the results to docs/survey-locks.json and .md.',
  )
  .addOption(new Option('--fault <type...>', 'faults').choices(FAULTS).default(FAULTS))
  .addOption(
    new Option('--library <name...>', 'libraries')
      .choices(LIBRARIES.map(({ name }) => name))
      .default(LIBRARIES.map(({ name }) => name)),
  )
  .addOption(new Option('--times <count>', 'runs of each').argParser(wholeNumber(1, 100)).default(1))
  .addOption(new Option('--at-once <count>', 'runs at the same time').argParser(wholeNumber(1, 8)).default(1))
  .option('--page', 'only write the page again');

await runProgram<Options>(command, { main: survey, failed: 1 });
