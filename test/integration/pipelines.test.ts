/** The pipelines in ci/: the shell of each, run as its CI system runs it, on an API from its source to the exit status. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { placeOf } from '../../src/cli/laptop/place.ts';
import { runOf } from '../../src/cli/probe/manifest.ts';
import { install } from '../../survey/runner/install.ts';
import { loadLimiter } from '../../survey/runner/limiters.ts';
import { folderOfTest } from '../kit/folder.ts';
import { withoutRealTime } from '../kit/pace.ts';
import { type Outcome, runProgram } from '../kit/program.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const api = join(root, 'test/fixtures/local/api-with-limit.ts');

const read = async <T>(file: string): Promise<T> =>
  parse(await readFile(join(root, 'ci', file), 'utf8')) as T;

async function bash(script: string, folder: string, env: Readonly<Record<string, string>>): Promise<Outcome> {
  const args = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', `cd '${folder}'\n${script}`];
  const all = { ...process.env, TMPDIR: folder, ...env };
  return await runProgram('bash', args, { env: all, timeoutMs: 500_000 });
}

/** A repository that is fetched in place of this one, whose packages would take minutes to install. */
async function repositoryIn(folder: string): Promise<string> {
  const repository = join(folder, 'repository');
  await mkdir(join(repository, 'scripts'), { recursive: true });
  await cp(join(root, 'ci'), join(repository, 'ci'), { recursive: true });
  const program = pathToFileURL(join(root, 'scripts/chaosdemo.mjs'));
  await writeFile(join(repository, 'scripts/chaosdemo.mjs'), `await import('${program.href}');\n`);
  const git = async (...args: string[]) => await promisify(execFile)('git', ['-C', repository, ...args]);
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '.');
  await git('-c', 'user.name=t', '-c', 'user.email=t@localhost', 'commit', '--quiet', '--message=Test');
  return repository;
}

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly runs: {
    readonly steps: readonly { readonly run?: string; readonly env?: Readonly<Record<string, string>> }[];
  };
}

interface Job {
  readonly variables: Readonly<Record<string, string>>;
  readonly script: readonly string[];
}

interface Task {
  readonly spec: {
    readonly params: readonly { readonly name: string; readonly default?: string }[];
    readonly steps: readonly [
      {
        readonly env: readonly { readonly name: string; readonly value: string }[];
        readonly script: string;
      },
    ];
  };
}

/** Replaces each `pattern`, whose first group is a name; a name without a value is an error. */
function filled(text: string, pattern: RegExp, values: Readonly<Record<string, string | undefined>>): string {
  return text.replaceAll(pattern, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${name} has no value`);
    return value;
  });
}

describe.skipIf(withoutRealTime)('a pipeline', () => {
  it.concurrent('on GitHub fails for an Express API that hangs, with a summary', async (context) => {
    const folder = folderOfTest(context.onTestFinished);
    const app = await install(await loadLimiter('express-rate-limit'), { progress: () => undefined });
    const { inputs, runs } = await read<Action>('github/action.yml');
    const defaults = Object.entries(inputs).map(([name, { default: value = '' }]) => [name, value]);
    const given = {
      ...Object.fromEntries(defaults),
      start: `HOST=127.0.0.1 LIMIT=10 WINDOW_SECONDS=60 '${process.execPath}' '${app}/server.mjs'`,
      options: '--limit=10\n--window=60s\n--header=X-Api-Key: $(key)\n',
    };
    const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary.md') };
    const outcomes: Outcome[] = [];
    for (const { env = {}, run } of runs.steps) {
      if (run === undefined || outcomes.some(({ status }) => status !== 0)) continue;
      const values = Object.entries(env).map(([name, text]) => [
        name,
        filled(text, /\$\{\{ inputs\.(\w+) \}\}/g, given),
      ]);
      const action = { GITHUB_ACTION_PATH: join(root, 'ci/github'), ...files };
      outcomes.push(await bash(run, folder, { ...action, ...Object.fromEntries(values) }));
    }
    expect(outcomes.at(-1)).toMatchObject({ status: 1 });
    const output = await readFile(files.GITHUB_OUTPUT, 'utf8');
    expect(output).toMatch(/^key=[0-9a-f]{64}\nstatus=1\n$/);
    expect(await readFile(files.GITHUB_STEP_SUMMARY, 'utf8')).toMatch(/Hangs.*Gate failed/);
    expect((await readdir(join(folder, 'chaosdemo-reports'))).sort()).toEqual([
      'chaosdemo.json',
      'history.jsonl',
      'junit.xml',
      'report.html',
      'report.md',
    ]);
  });

  it.concurrent('on GitLab passes for an API that fails closed, by a file', async (context) => {
    const folder = folderOfTest(context.onTestFinished);
    const { '.chaosdemo': job } = await read<Record<'.chaosdemo', Job>>('gitlab.yml');
    const limit = { requests: 10, window: '5s', algorithm: 'FixedWindow' as const };
    const headers = [{ name: 'X-Api-Key', value: '$(key)' }];
    const request = { method: 'GET' as const, path: '/items', headers };
    const { demo } = runOf({ request, healthPath: '/healthz', limit, instances: 2, place: placeOf({}) });
    await writeFile(join(folder, 'api.yaml'), stringify(demo));
    const { status, stdout } = await bash(job.script.join('\n'), folder, {
      CHAOSDEMO_REPORTS: job.variables['CHAOSDEMO_REPORTS'] ?? '',
      CHAOSDEMO_REPOSITORY: await repositoryIn(folder),
      CHAOSDEMO_REVISION: 'main',
      CHAOSDEMO_START: `'${process.execPath}' '${api}'`,
      CHAOSDEMO_INSTANCES: '2',
      CHAOSDEMO_FILE: 'api.yaml',
    });
    expect({ status, end: stdout.slice(-2000) }).toMatchObject({ status: 0 });
    expect(await readFile(join(folder, 'chaosdemo-reports/junit.xml'), 'utf8')).toContain('FailsClosed');
  });

  it.concurrent('by Tekton has no verdict on an API that does not start', async (context) => {
    const folder = folderOfTest(context.onTestFinished);
    const { params, steps } = (await read<Task>('tekton.yaml')).spec;
    const values: Record<string, string | undefined> = {
      ...Object.fromEntries(params.map(({ default: value, name }) => [`params.${name}`, value])),
      'params.repository': await repositoryIn(folder),
      'params.revision': 'main',
      'params.start': 'echo no module; exit 7',
      'workspaces.cache.path': '',
    };
    const [{ env, script }] = steps;
    const all = env.map(({ name, value }) => [name, filled(value, /\$\(([\w.]+)\)/g, values)]);
    const { status, stderr, stdout } = await bash(script, folder, Object.fromEntries(all));
    expect({ status, output: stdout + stderr }).toMatchObject({ status: 2 });
    expect(stdout + stderr).toMatch(/no module[^]*PORT/);
  });
});
