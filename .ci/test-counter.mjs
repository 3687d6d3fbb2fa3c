/**
 * A reporter for vitest that appends the outcome of each test to the file in TEST_COUNTS as it becomes known,
 * so that what was found is counted also where a run is stopped before its end.
 */
import { appendFileSync, writeFileSync } from 'node:fs';

const path = process.env.TEST_COUNTS;
const count = (outcome) => appendFileSync(path, `${outcome}\n`);

export default class TestCounter {
  onInit() {
    writeFileSync(path, '');
  }

  onTestCaseResult(test) {
    count(test.result().state);
  }

  /** What fails outside of a test, in a hook or in loading a file, has no test to be counted by. */
  onTestSuiteResult(suite) {
    for (const _ of suite.errors()) count('failed');
  }

  onTestModuleEnd(module) {
    for (const _ of module.errors()) count('failed');
  }

  onTestRunEnd(_modules, unhandled) {
    for (const _ of unhandled) count('failed');
  }
}
