/**
 * A reporter for vitest that appends each test with its outcome to the file in TEST_COUNTS as it becomes known, one
 * JSON object a line, so that what was found is counted also where a run is stopped before its end.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';

const path = process.env.TEST_COUNTS;

function note(file, name, outcome, errors = [], withoutTime) {
  const why = errors.map(({ message }) => firstLine(message));
  const entry = { file, name, outcome, ...(why.length > 0 && { why }), withoutTime };
  appendFileSync(path, `${JSON.stringify(entry)}\n`);
}

const firstLine = (text) => String(text).split('\n')[0].slice(0, 300);

/**
 * Why a test was not run that needs a machine which keeps time, see `test/kit/pace.ts`: it failed on one that does
 * not, or its file left it out, since the stage began on one. Undefined if it is no such test, or was run.
 */
function withoutTimeOf(test) {
  if (test.result().state !== 'skipped') return undefined;
  const { withoutTime } = test.meta();
  if (withoutTime !== undefined) return firstLine(withoutTime);
  const { pace } = test.project.getProvidedContext();
  if (test.options.mode !== 'skip' || pace?.keepsTime !== false) return undefined;
  const leavesOut = readFileSync(test.module.moduleId, 'utf8').includes('skipIf(withoutRealTime)');
  return leavesOut ? firstLine(pace.finding) : undefined;
}

export default class TestCounter {
  onInit() {
    writeFileSync(path, '');
  }

  onTestCaseResult(test) {
    const { errors = [], state } = test.result();
    note(test.module.relativeModuleId, test.fullName, state, errors, withoutTimeOf(test));
  }

  /** What fails outside of a test, in a hook or in loading a file, has no test to be counted by. */
  onTestSuiteResult(suite) {
    for (const error of suite.errors()) {
      note(suite.module.relativeModuleId, `${suite.fullName}, outside of its tests`, 'failed', [error]);
    }
  }

  onTestModuleEnd(module) {
    for (const error of module.errors()) {
      note(module.relativeModuleId, 'outside of its tests', 'failed', [error]);
    }
  }

  onTestRunEnd(_modules, unhandled) {
    for (const error of unhandled) note('', 'outside of every test', 'failed', [error]);
    appendFileSync(path, `${JSON.stringify({ isWhole: true })}\n`);
  }
}
