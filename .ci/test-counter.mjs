/**
 * A reporter for vitest that appends each test with its outcome to the file in TEST_COUNTS as it becomes known, one
 * JSON object a line, so that what was found is counted also where a run is stopped before its end.
 */
import { appendFileSync, writeFileSync } from 'node:fs';

const path = process.env.TEST_COUNTS;

function note(file, name, outcome, errors = []) {
  const why = errors.map(({ message }) => String(message).split('\n')[0].slice(0, 300));
  appendFileSync(path, `${JSON.stringify({ file, name, outcome, ...(why.length > 0 && { why }) })}\n`);
}

export default class TestCounter {
  onInit() {
    writeFileSync(path, '');
  }

  onTestCaseResult(test) {
    const { errors = [], state } = test.result();
    note(test.module.relativeModuleId, test.fullName, state, errors);
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
