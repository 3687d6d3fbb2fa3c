/**
 * Runs unmodified locks of libraries under faults of Redis, and writes the results: `node survey/locks/run.ts --help`.
 * Each is in the smallest service that its documentation describes, in three processes over one Redis.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Supervisor } from '@chaosdemo/testbed';
import { Command, Option } from 'commander';
import { execa } from 'execa';
import pLimit from 'p-limit';
import { stringify } from 'yaml';
import type { ChaosDemo } from '../../src/api/index.ts';
import { wholeNumber } from '../../src/cli/option-value.ts';
import { runProgram } from '../../src/cli/program.ts';
import { inOwnNetwork, runInOwnNetwork } from '../runner/own-network.ts';
import { FailoverStage, SENTINEL_REDIS } from './failover.ts';
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
import { HISTORIES, historyOf, lockPage, RESULTS, readRuns } from './page.ts';
import { makeServices, startApart, startOf } from './services.ts';

const program = fileURLToPath(new URL('../../scripts/chaosdemo.mjs', import.meta.url));

interface Options {
  readonly fault: readonly Fault[];
  readonly library: readonly string[];
  readonly times: number;
  readonly atOnce: number;
  readonly page?: true;
}

/** What is left of a run: nothing if the command failed. */
interface Left {
  readonly demo?: Partial<ChaosDemo> | undefined;
  readonly history?: string | undefined;
  /** The last line of its output. */
  readonly said?: string | undefined;
}

async function run(
  library: Library,
  setting: Setting,
  fault: Fault,
  stage?: FailoverStage,
): Promise<LockRun> {
  const [at, load] = [new Date().toISOString(), Number(loadavg()[0]?.toFixed(1))];
  const timeout = setting === 'timeout' ? { COMMAND_TIMEOUT: String(TIMEOUT_MS) } : {};
  const env = { LIB: library.lib, SLOTS: String(library.slots), ...timeout };
  const spec = demoOf(library, fault);
  const { demo, history, said }: Left =
    fault === 'Failover' && stage
      ? await stage.run(library, env, spec)
      : await runHere(library, env, spec, fault === 'Disconnect');
  const [scenario] = demo?.status?.scenarios ?? [];
  const why = demo?.status?.message ?? said ?? '';
  const [result, summary] = [scenario?.result ?? 'Errored', scenario?.summary ?? why];
  const done = { library: library.name, setting, fault, at, load, result, summary };
  if (history !== undefined)
    await writeFile(join(HISTORIES, historyOf(done)), gzipSync(history, { level: 9 }));
  return done;
}

/**
 * By `chaosdemo test`.
 * @param apart whether each instance reaches Redis from an address of its own
 */
async function runHere(
  library: Library,
  env: Readonly<Record<string, string>>,
  demo: object,
  apart: boolean,
): Promise<Left> {
  const supervisor = new Supervisor();
  try {
    const folder = supervisor.temporaryFolder('locks');
    const file = join(folder, 'lock.yaml');
    await writeFile(file, stringify(demo));
    const instances = apart ? await startApart(library, env, supervisor) : [`--start=${startOf(library)}`];
    const { all } = await execa(
      process.execPath,
      [program, 'test', '--plain', `--file=${file}`, ...instances, '--report-dir=report'],
      { cwd: folder, env, reject: false, all: true },
    );
    const written = async (name: string): Promise<string | undefined> =>
      await readFile(join(folder, 'report', name), 'utf8').catch(() => undefined);
    const [text, history] = [await written('chaosdemo.json'), await written('history.jsonl')];
    const ended = text === undefined ? undefined : (JSON.parse(text) as Partial<ChaosDemo>);
    return { demo: ended, history, said: all.split('\n').at(-1) };
  } finally {
    await supervisor.close();
  }
}

function demoOf({ prefix = '', slots }: Library, fault: Fault): object {
  const injected =
    fault === 'StallByProxy'
      ? { type: 'Stall', via: 'Proxy' }
      : { type: fault, ...(fault === 'Failover' && { duration: '20s' }) };
  const key = `${prefix}lock:$(key)`;
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
        redis: fault === 'Failover' ? SENTINEL_REDIS : { serviceName: 'redis', key },
        health: { path: '/healthz' },
      },
      scenarios: [{ name: 'lock', type: 'Exclusion', exclusion: { fault: injected } }],
    },
  };
}

async function survey(
  { atOnce, fault: faults, library: names, page, times }: Options,
  signal: AbortSignal,
): Promise<number> {
  const chosen = LIBRARIES.filter(({ name }) => names.includes(name));
  if (!page) {
    // A network of its own reaches no registry.
    if (!inOwnNetwork) await makeServices(chosen);
    if (faults.includes('Disconnect') && !inOwnNetwork) return await runInOwnNetwork(signal);
    await mkdir(HISTORIES, { recursive: true });
    const limit = pLimit(atOnce);
    const jobs = Array.from({ length: times }, () =>
      faults.flatMap((fault) =>
        chosen.flatMap((library) => SETTINGS.map((setting) => [library, setting, fault] as const)),
      ),
    ).flat();
    const supervisor = new Supervisor();
    try {
      const stage = faults.includes('Failover') ? await FailoverStage.start(supervisor, signal) : undefined;
      let runs = await readRuns();
      await Promise.all(
        jobs.map((job) =>
          limit(async () => {
            const done = await run(...job, stage);
            const { fault, library, result, setting, summary } = done;
            process.stdout.write(`${library} (${setting}), ${fault}: ${result}, ${summary}\n`);
            runs = [...runs, done];
            await writeFile(RESULTS, `${JSON.stringify(runs, null, 1)}\n`);
          }),
        ),
      );
      await stage?.close();
    } finally {
      await supervisor.close();
    }
  }
  await writeFile(RESULTS.replace(/json$/, 'md'), lockPage(await readRuns()));
  return 0;
}

const command = new Command('survey:locks')
  .description(
    'Runs locks of libraries under faults of Redis, and adds the results to docs/survey-locks.json and .md. Disconnect needs Linux, and root or user namespaces.',
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
