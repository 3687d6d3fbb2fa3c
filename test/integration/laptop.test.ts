/** `chaosdemo test`: an API and a Redis on this machine, from the command to the verdict. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { describe, expect, it, type TestContext } from 'vitest';
import { parse } from 'yaml';
import type { ChaosDemo } from '../../src/api/index.ts';
import { folderOfTest } from '../kit/folder.ts';
import { rows } from '../kit/nightly.ts';
import { withoutRealTime } from '../kit/pace.ts';
import { runProgram } from '../kit/program.ts';
import { until } from '../kit/until.ts';

const program = fileURLToPath(new URL('../../scripts/chaosdemo.mjs', import.meta.url));
const api = fileURLToPath(new URL('../fixtures/local/api-with-limit.ts', import.meta.url));
const START = `--start=${process.execPath} ${api}`;
const FACTS = ['--key-header=X-Api-Key', '--limit=10', '--window=5s'];

/** Started in an empty folder, which also has its temporary files. */
async function startTest(
  onTestFinished: TestContext['onTestFinished'],
  ...args: string[]
): Promise<{ child: ChildProcess; folder: string; output: () => string }> {
  const folder = folderOfTest(onTestFinished);
  const child = spawn(process.execPath, [program, 'test', '--plain', ...args], {
    cwd: folder,
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (output += String(data)));
  return { child, folder, output: () => output };
}

/** The object of a run, by its report. */
const demoIn = async (report: string): Promise<ChaosDemo> =>
  JSON.parse(await readFile(join(report, 'chaosdemo.json'), 'utf8')) as ChaosDemo;

async function statusOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

describe.skipIf(withoutRealTime)('chaosdemo test', () => {
  it.concurrent('starts an API, finds its limit, and reports that it fails closed', async ({
    onTestFinished,
  }) => {
    const { child, folder, output } = await startTest(
      onTestFinished,
      START,
      '--report-dir=report',
      '--save=api.yaml',
    );
    expect({ status: await statusOf(child), output: output() }).toMatchObject({ status: 0 });
    expect(output()).toMatch(/\nVerdict: Succeeded \(ExpectationsMet\), 2\/2 as expected\n$/);
    expect(output()).toMatch(/ So far \d+ of \d+ requests under the limit [^]*\n {3}★ outage Held/);
    const { status } = await demoIn(join(folder, 'report'));
    expect(status?.scenarios).toMatchObject([
      {
        name: 'outage',
        result: 'Held',
        summary: 'FailsClosed',
        evidence: expect.arrayContaining([expect.stringMatching(/ HTTP 503 x \d+/)]),
      },
      // On a busy machine, a window of 5 s may end in the burst.
      { name: 'burst', result: 'Held', summary: expect.stringMatching(/^10\/[12]0, 0\/3 trials$/) },
    ]);
    expect(parse(await readFile(join(folder, 'api.yaml'), 'utf8'))).toMatchObject({
      kind: 'ChaosDemo',
      spec: {
        rateLimiter: {
          http: { headers: [{ name: 'X-Api-Key', value: '$(key)' }] },
          health: { path: '/healthz' },
          limit: { requests: 10, window: '5s' },
          redis: { serviceName: 'redis' },
        },
      },
    });
    expect((await readdir(folder)).sort()).toEqual(['api.yaml', 'report']);

    const check = (file: string) =>
      runProgram(process.execPath, [
        ...[program, 'check', join(folder, 'report', file)],
        ...['--against', join(folder, 'report', 'chaosdemo.json')],
      ]);
    expect(await check('history.jsonl')).toMatchObject({ status: 0, stderr: '' });
    const history = await readFile(join(folder, 'report', 'history.jsonl'), 'utf8');
    await writeFile(join(folder, 'report', 'changed.jsonl'), history.replace('"status":503', '"status":504'));
    expect(await check('changed.jsonl')).toMatchObject({
      status: 65,
      stderr: expect.stringMatching(/^chaosdemo: outage: .*\n$/),
    });
  });

  it.concurrent('writes a ChaosDemo without a run', async () => {
    const written = await runProgram(process.execPath, [program, 'init', START, ...FACTS]);
    expect(written).toMatchObject({ status: 0 });
    expect(parse(written.stdout)).toMatchObject({
      kind: 'ChaosDemo',
      spec: { rateLimiter: { limit: { requests: 10, window: '5s' }, redis: { serviceName: 'redis' } } },
    });
  });

  it.concurrent('tests an API that knows its callers, by keys of a file that it never shows', async ({
    onTestFinished,
  }) => {
    const keys = Array.from({ length: 200 }, (_, i) => `sk_test_${i}x`);
    const file = join(folderOfTest(onTestFinished), 'keys.txt');
    await writeFile(file, keys.join('\n'));
    const { child, folder, output } = await startTest(
      onTestFinished,
      `--start=ACCOUNTS=${keys.join(',')} ${process.execPath} ${api}`,
      `--callers=${file}`,
      ...FACTS,
      '--quick',
      '--report-dir=report',
      '--junit=tests.xml',
      '--json=api.json',
    );
    expect({ status: await statusOf(child), output: output().slice(-2000) }).toMatchObject({ status: 0 });
    const report = join(folder, 'report');
    const { spec, status } = await demoIn(report);
    expect(spec).toMatchObject({ rateLimiter: { http: { callers: { secretName: 'api-callers' } } } });
    // Nor did it wait for limits to return.
    const evidence = expect.arrayContaining([
      expect.stringMatching(/ was not checked: .* is Skip$/),
    ]) as string[];
    expect(status?.scenarios).toMatchObject([{ summary: 'FailsClosed', evidence }, { result: 'Held' }]);
    expect(output()).toMatch(/\n✓ outage .*\n {4}\S.* was not checked: .*\n/);
    const checked = [program, 'check', join(report, 'history.jsonl'), '--against', join(folder, 'api.json')];
    expect(await runProgram(process.execPath, checked)).toMatchObject({ status: 0, stderr: '' });
    expect(await readFile(join(folder, 'tests.xml'), 'utf8')).toMatch(/^<\?xml[^]*<testsuites /);
    const history = await readFile(join(report, 'history.jsonl'), 'utf8');
    for (const text of [output().replace(/starting 3 x .*/, ''), history, JSON.stringify(status)])
      expect(text).not.toContain('sk_test_');
  });

  it.concurrent('names an API that grows while Redis is away, and holds it to its price', async ({
    onTestFinished,
  }) => {
    const file = join(folderOfTest(onTestFinished), 'api.yaml');
    const { stdout } = await runProgram(process.execPath, [program, 'init', START, ...FACTS]);
    const demo = parse(stdout) as { spec: { scenarios: { storeOutage?: object }[] } };
    const scenarios = demo.spec.scenarios.slice(0, 1).map(({ storeOutage, ...scenario }) => ({
      ...scenario,
      storeOutage: { ...storeOutage, price: { connections: 3, memory: 2 } },
    }));
    demo.spec = { ...demo.spec, scenarios };
    await writeFile(file, JSON.stringify(demo));
    const { child, folder, output } = await startTest(
      onTestFinished,
      `--start=LEAKS=1 ${process.execPath} ${api}`,
      `--file=${file}`,
      '--instances=2',
      '--report-dir=report',
    );
    expect({ status: await statusOf(child), output: output() }).toMatchObject({ status: 1 });
    expect(output()).toMatch(/\nThe exit status is 1, .*\n$/);
    const report = join(folder, 'report');
    const { status } = await demoIn(report);
    expect(status?.scenarios).toMatchObject([
      {
        result: 'Violated',
        summary: expect.stringMatching(/^FailsClosed; memory \d+% > 200%$/),
        bounds: { memory: 200 },
        evidence: expect.arrayContaining([
          expect.stringMatching(/^At most in the fault(?=.* memory of api-\d)(?=.* connections of Redis)/),
          expect.stringMatching(/^The memory of api-\d.* grew as long as the fault lasted/),
        ]),
      },
    ]);
    const check = await runProgram(process.execPath, [
      ...[program, 'check', join(report, 'history.jsonl')],
      ...['--against', join(report, 'chaosdemo.json')],
    ]);
    expect(check).toMatchObject({ status: 1, stderr: '' });
    expect(check.stdout).toContain('; memory ');
  });

  it.concurrent('loses the counts that it finds, and ends connections from its own address', async ({
    onTestFinished,
  }) => {
    const { child, folder, output } = await startTest(
      onTestFinished,
      `--start=WINDOW_MS=30000 ${process.execPath} ${api}`,
      ...['--key-header=X-Api-Key', '--limit=10', '--window=30s', '--window-start=FirstRequest'],
      ...['--fault=DataLoss,Disconnect', '--duration=3s', '--instances=2', '--report-dir=report'],
    );
    await statusOf(child);
    const { spec, status } = await demoIn(join(folder, 'report'));
    expect({ scenarios: status?.scenarios, output: output() }).toMatchObject({
      scenarios: [
        { name: 'outage-dataloss', result: 'Violated', summary: expect.stringMatching(/^Forgets/) },
        {
          name: 'outage-disconnect',
          result: 'Held',
          summary: 'FailsClosed',
          evidence: expect.arrayContaining([expect.stringContaining('connections of 2 pods ended')]),
        },
        { name: 'burst', result: 'Held' },
      ],
    });
    expect(spec).toMatchObject({ rateLimiter: { redis: { count: { key: 'rl:$(key)', type: 'String' } } } });
  });

  it.concurrent('says how many accounts a run needs if there are too few', async ({ onTestFinished }) => {
    const file = join(folderOfTest(onTestFinished), 'keys.txt');
    await writeFile(file, 'sk_test_1\nsk_test_2\nsk_test_3\n');
    const { child, output } = await startTest(onTestFinished, START, `--callers=${file}`, ...FACTS);
    expect(await statusOf(child)).toBe(2);
    expect(output()).toMatch(/needs about \d+ accounts, .*has 2: add \d+/);
  });

  it.concurrent('Ctrl-C during the stall ends it, and leaves no key, file or process', async ({
    onTestFinished,
  }) => {
    const server = await startRedis({ requirepass: 'secret' });
    onTestFinished(server.stop);
    const redis = new Redis({ host: server.host, port: server.port, password: 'secret' });
    onTestFinished(() => redis.disconnect());
    await redis.set('rl:other', '1');
    const url = `redis://:secret@${server.host}:${server.port}`;
    // Longer than the test, so that no key expires.
    const { child, folder, output } = await startTest(
      onTestFinished,
      `--start=WINDOW_MS=3600000 ${process.execPath} ${api}`,
      `--redis=${url}`,
      '--instances=2',
      '--key-header=X-Api-Key',
      '--limit=10',
    );
    await until(() => /stall for \d+ ms|exit/.test(output()) || child.exitCode !== null, {
      what: 'the stall',
    });
    child.kill('SIGINT');
    expect({ status: await statusOf(child), output: output() }).toMatchObject({ status: 130 });
    await redis.set('rl:other', '2');
    // The stall was released; it did not end by itself.
    expect(await redis.info('commandstats')).toMatch(/cmdstat_client\|unpause:calls=[1-9]/);
    expect(output()).toContain(`redis: ${server.host}:${server.port} takes writes`);
    const left = (await redis.keys('*')).filter((key) => !key.startsWith('chaosdemo:probe:'));
    expect(left).toEqual(['rl:other']);
    expect(await redis.info('clients')).toContain('connected_clients:1');
    expect(await readdir(folder)).toEqual([]);
    expect(output()).not.toContain('secret');
  });

  const WINDOWS = [
    ['has windows from the first request', ''],
    ['has windows by the clock', 'BY_CLOCK=1 '],
    ['has a bucket', 'BUCKET=1 '],
  ] as const;
  it.concurrent.for(rows(WINDOWS))(
    'accuses no API that %s if only its window is given',
    async ([, by], { onTestFinished }) => {
      const { child, folder, output } = await startTest(
        onTestFinished,
        `--start=${by}${process.execPath} ${api}`,
        ...FACTS,
        '--report-dir=report',
      );
      expect({ status: await statusOf(child), output: output() }).toMatchObject({ status: 0 });
      const { status } = await demoIn(join(folder, 'report'));
      expect(status?.scenarios).toMatchObject([{ result: 'Held' }, { result: 'Held' }]);
    },
  );

  it.concurrent('blames a process of the API that ends in the stall, and not Redis', async ({
    onTestFinished,
  }) => {
    const { child, output } = await startTest(
      onTestFinished,
      // The first instance to start.
      `--start=mkdir first 2>/dev/null && export EXIT_STATUS=7; exec ${process.execPath} ${api}`,
      ...FACTS,
    );
    expect(await statusOf(child)).not.toBe(0);
    expect(output()).toMatch(/\napi-\d exited with status 7.*\nno answer from the store\n[^]*\nVerdict: /);
    expect(output()).not.toMatch(/Cause: /);
  });
});
