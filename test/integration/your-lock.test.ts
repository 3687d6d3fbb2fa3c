/** A lock on this machine, from a ChaosDemo in a file to its verdict: the operator, three processes and a Redis. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ChaosDemo } from '../../src/api/index.ts';
import { folderOfTest } from '../kit/folder.ts';
import { withoutRealTime } from '../kit/pace.ts';
import { runProgram } from '../kit/program.ts';

const program = fileURLToPath(new URL('../../scripts/chaosdemo.mjs', import.meta.url));
const api = fileURLToPath(new URL('../fixtures/local/api-with-lock.ts', import.meta.url));
const SAMPLE = new URL('../../manifests/samples/your-lock.yaml', import.meta.url);

describe.skipIf(withoutRealTime)('chaosdemo test of a lock', () => {
  it.concurrent.for([
    ['denies', {}, 0, { result: 'Held', summary: 'Denies' }],
    ['is granted twice', { FAIL_OPEN: '1' }, 1, { result: 'Violated', summary: /^DoubleGrants; \d+ > 1/ }],
  ] as const)(
    'reports that it %s while Redis stalls',
    { timeout: 120_000 },
    async (row, { onTestFinished }) => {
      const [, env, status, expected] = row;
      const folder = folderOfTest(onTestFinished);
      const file = join(folder, 'lock.yaml');
      await writeFile(file, (await readFile(SAMPLE, 'utf8')).replace('ttl: 10s', 'ttl: 2s'));
      const args = ['--plain', `--file=${file}`, `--start=${process.execPath} ${api}`, '--report-dir=report'];
      const child = spawn(process.execPath, [program, 'test', ...args], {
        cwd: folder,
        env: { ...process.env, ...env },
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (data) => (output += String(data)));
      await once(child, 'exit');
      expect({ status: child.exitCode, output }).toEqual({ status, output });
      const report = join(folder, 'report', 'chaosdemo.json');
      const demo = JSON.parse(await readFile(report, 'utf8')) as ChaosDemo;
      const { result, summary } = demo.status?.scenarios?.[0] ?? {};
      expect({ result, summary }).toEqual({
        result: expected.result,
        summary: expect.stringMatching(expected.summary),
      });
      const history = join(folder, 'report', 'history.jsonl');
      const check = await runProgram(process.execPath, [program, 'check', history, '--against', report]);
      expect(check).toMatchObject({ status, stderr: '' });
    },
  );
});
