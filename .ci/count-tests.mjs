/**
 * Prints every test that failed, that was not run because the machine does not keep time, or that passed only when its
 * file was run again, which is a defect too, and then `N passed, N failed, N skipped`. Of a file that was run again the second outcome counts.
 * Fails when a test failed, none passed, or too many were not run.
 */
import { AGAIN, readCounts } from './test-counts.mjs';

/** Tests of all stages that may be skipped on a machine that does not keep time. Beyond that green says too little. */
const MOST_WITHOUT_TIME = 5;

/** Passed at the second try only. */
const flaky = [];

const counts = process.argv
  .slice(2)
  .filter((path) => !path.endsWith(AGAIN))
  .flatMap((path) => {
    const { tests: first } = readCounts(path);
    const { tests: again } = readCounts(path + AGAIN);
    const tried = new Set(again.map(({ file }) => file));
    const kept = first.filter(({ file }) => !tried.has(file));
    for (const { file, name, outcome, why = [] } of first) {
      if (outcome === 'failed' && tried.has(file)) flaky.push(`${file}: ${name}: ${why.join('; ')}`);
    }
    return [...kept, ...again];
  });
for (const { file, name, outcome, why = [] } of counts) {
  if (outcome === 'failed') console.log(`failed: ${file}: ${name}: ${why.join('; ')}`);
}
const withoutTime = counts.filter((test) => test.withoutTime !== undefined);
for (const { file, name, withoutTime: why } of withoutTime) console.log(`not run: ${file}: ${name}: ${why}`);
const tooMany = withoutTime.length > MOST_WITHOUT_TIME;
if (tooMany) {
  console.log(
    `${withoutTime.length} tests that measure time were not run, and ${MOST_WITHOUT_TIME} may be: run them on a machine with less load`,
  );
}
for (const each of flaky) console.log(`failed at the first try, fix it: ${each}`);
const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(
  (wanted) => counts.filter(({ outcome }) => outcome === wanted).length,
);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 && passed > 0 && !tooMany ? 0 : 1;
