/**
 * Prints every test that failed, or that passed only when its file was run again, and then
 * `N passed, N failed, N skipped`. Of a file that was run again the second outcome counts.
 * Fails when a test failed or none passed.
 */
import { AGAIN, readCounts } from './test-counts.mjs';

const counts = process.argv
  .slice(2)
  .filter((path) => !path.endsWith(AGAIN))
  .flatMap((path) => {
    const { tests: first } = readCounts(path);
    const { tests: again } = readCounts(path + AGAIN);
    const tried = new Set(again.map(({ file }) => file));
    const kept = first.filter(({ file }) => !tried.has(file));
    for (const { file, name, outcome, why = [] } of first) {
      if (outcome === 'failed' && tried.has(file))
        console.log(`tried again: ${file}: ${name}: ${why.join('; ')}`);
    }
    return [...kept, ...again];
  });
for (const { file, name, outcome, why = [] } of counts) {
  if (outcome === 'failed') console.log(`failed: ${file}: ${name}: ${why.join('; ')}`);
}
const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(
  (wanted) => counts.filter(({ outcome }) => outcome === wanted).length,
);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
