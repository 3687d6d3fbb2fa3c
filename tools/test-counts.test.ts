/** What `.ci` makes of the outcomes of tests, above all of those that a busy machine has skipped. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const COUNTER = join(ROOT, '.ci/test-counter.mjs');
const PACE = join(ROOT, 'test/kit/pace.ts');

let folder: string;
beforeEach(() => {
  // Inside of the repository, so that vitest is found.
  folder = mkdtempSync(join(ROOT, 'node_modules/.test-counts-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

interface Outcome {
  readonly file: string;
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly withoutTime?: string;
}

/** Counts the outcomes of a stage, and of the files of it that ran again. */
function count(...tries: Outcome[][]): { readonly lines: string[]; readonly status: number | null } {
  const paths = tries.map((outcomes, i) => {
    const path = join(folder, i === 0 ? 'tests' : 'tests-again');
    writeFileSync(path, [...outcomes, { isWhole: true }].map((entry) => JSON.stringify(entry)).join('\n'));
    return path;
  });
  const { status, stdout } = spawnSync(process.execPath, [join(ROOT, '.ci/count-tests.mjs'), ...paths], {
    encoding: 'utf8',
  });
  return { status, lines: stdout.trim().split('\n') };
}

const passed: Outcome = { file: 'a.test.ts', name: 'works', outcome: 'passed' };
const notRun = (many: number): Outcome[] =>
  Array.from({ length: many }, (_, i) => ({
    file: 'b.test.ts',
    name: `measures ${i}`,
    outcome: 'skipped',
    withoutTime: 'the machine stood still',
  }));

describe('the count of tests', () => {
  it('lists what was not run on a machine that does not keep time, and accepts a few', () => {
    expect(count([passed, ...notRun(5)])).toEqual({
      status: 0,
      lines: [
        ...notRun(5).map(({ name }) => `not run: b.test.ts: ${name}: the machine stood still`),
        '1 passed, 0 failed, 5 skipped',
      ],
    });
  });

  it('lists what passed only when its file ran again, as a defect', () => {
    expect(count([{ ...passed, outcome: 'failed' }], [passed])).toEqual({
      status: 0,
      lines: ['failed at the first try, fix it: a.test.ts: works: ', '1 passed, 0 failed, 0 skipped'],
    });
  });
});

describe('the outcomes of tests that measure time', () => {
  /** What the counter notes of them. `keptTime`: when the stage began; by then the machine does not keep time. */
  function run(keptTime: boolean): Outcome[] {
    writeFileSync(
      join(folder, 'vitest.config.ts'),
      `export default { test: { include: ['*.test.ts'], provide: { pace: { keepsTime: ${keptTime}, finding: 'slow' } } } };`,
    );
    writeFileSync(
      join(folder, 'some.test.ts'),
      `import { describe, expect, it } from 'vitest';
      import { keepingTime, withoutRealTime } from ${JSON.stringify(PACE)};
      it('needs no time', () => undefined);
      it('is left out', ({ skip }) => skip('for another reason'));
      describe.skipIf(withoutRealTime)('in real time', () => {
        it('passes', keepingTime(async () => undefined));
        it('fails', keepingTime(async () => expect(1).toBe(2)));
      });`,
    );
    const path = join(folder, 'counts');
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    spawnSync(process.execPath, [vitest, 'run', '--root', folder, `--reporter=${COUNTER}`], {
      env: { ...process.env, TEST_COUNTS: path, CHAOSDEMO_REAL_TIME: '0' },
    });
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    return lines
      .map((line) => JSON.parse(line) as Outcome & { isWhole?: boolean })
      .filter(({ isWhole }) => !isWhole);
  }

  const shown = (outcomes: readonly Outcome[]): (string | undefined)[][] =>
    outcomes.map(({ name, outcome, withoutTime }) => [name, outcome, withoutTime]);

  it('counts show which timed tests a slow machine has skipped', () => {
    expect(shown(run(true))).toEqual([
      ['needs no time', 'passed', undefined],
      ['is left out', 'skipped', undefined],
      ['in real time > passes', 'passed', undefined],
      ['in real time > fails', 'skipped', expect.stringMatching(/not keep time .*; .*failed /)],
    ]);
  });
});
