/** `npm run demo -- --limiter`: a rate limiter that people run, as it is, through the whole of a demo. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ChaosDemo } from '../../../src/api/index.ts';
import { folderOfTest } from '../../kit/folder.ts';
import { withoutRealTime } from '../../kit/pace.ts';
import { runProgram } from '../../kit/program.ts';

const program = fileURLToPath(new URL('../../../tools/demo/main.ts', import.meta.url));

describe.skipIf(withoutRealTime)('the demo of a limiter of the survey', () => {
  it('prints the outcomes of its callers, and leaves nothing behind', async () => {
    const folder = folderOfTest();
    const reports = join(folder, 'reports');
    // A configuration without a timeout: a busy machine would reach one with nothing wrong.
    const args = ['--limiter=express-rate-limit', '--variant=fail-open', `--report-dir=${reports}`];
    const { status, stderr, stdout } = await runProgram(process.execPath, [program, ...args], {
      // All of it: on a new machine the limiter is installed first, and how its registry is reached stands there.
      env: { ...process.env, FORCE_COLOR: '0', TMPDIR: folder },
      timeoutMs: 500_000,
    });
    expect({ status, stderr, end: stdout.slice(-2000) }).toMatchObject({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^.*3 processes .*express-rate-limit 8\.7\.5: passOnStoreError/m);
    const ended = JSON.parse(await readFile(join(reports, 'chaosdemo.json'), 'utf8')) as ChaosDemo;
    expect(ended.status?.scenarios).toMatchObject([
      { name: 'outage', result: 'Violated', summary: 'Hangs' },
      { name: 'burst', result: 'Held' },
    ]);
    expect(await readdir(folder)).toEqual(['reports']);
  });
});
