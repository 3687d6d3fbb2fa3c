/** Prints `N passed, N failed, N skipped` from what test-counter.mjs wrote. Fails when a test failed or none passed. */
import { readFileSync } from 'node:fs';

const outcomes = process.argv.slice(2).flatMap((path) => readFileSync(path, 'utf8').split('\n'));
const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(
  (outcome) => outcomes.filter((each) => each === outcome).length,
);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
