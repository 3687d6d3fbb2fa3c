import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '@chaosdemo/settings';
import { describe, expect, it } from 'vitest';
import { recordedRun } from '../../test/fixtures/cli/report/report.ts';
import { folderOfFile } from '../../test/kit/folder.ts';
import { requireOutputs } from './outputs.ts';
import { type Report, reportOf } from './report/report.ts';
import { writeAll } from './report/write.ts';

const folder = folderOfFile();
const file = join(folder, 'file');
writeFileSync(file, '');

describe('the paths of outputs', () => {
  it.each([
    { save: join(folder, 'new.json') },
    { save: file },
    { save: '/dev/null' },
    { reportDir: join(folder, 'a', 'b') },
    { junit: file, json: join(folder, 'new.json') },
  ])('are accepted: %j', (outputs) => {
    expect(() => requireOutputs(outputs)).not.toThrow();
  });

  it.each([
    ['--save', { save: join(folder, 'missing', 'out.json') }],
    ['--save', { save: join(file, 'run.jsonl') }],
    ['--save', { save: folder }],
    ['--junit', { junit: join(folder, 'missing', 'out.xml') }],
    ['--report-dir', { reportDir: join(file, 'reports') }],
  ])('are rejected by the name of the option: %s %j', (option, outputs) => {
    expect(() => requireOutputs(outputs)).toThrow(UsageError);
    expect(() => requireOutputs(outputs)).toThrow(option);
  });
});

it.runIf(existsSync('/dev/full'))('a file that cannot be written to its end is named', async () => {
  const run = recordedRun();
  const written = writeAll(run, reportOf(run) as Report, { json: '/dev/full' });
  await expect(written).rejects.toThrow(/^\/dev\/full: .*ENOSPC/);
});
