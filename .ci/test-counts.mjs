/** What test-counter.mjs wrote of the stages of a run. */
import { existsSync, readFileSync } from 'node:fs';

/** Of a stage's second try. */
export const AGAIN = '-again';

/**
 * @returns {{isWhole: boolean, tests: {file: string, name: string, outcome: 'passed' | 'failed' | 'skipped', why?: string[], withoutTime?: string}[]}}
 *   isWhole: it came to its end, so that no test is missing
 *   withoutTime: why a test that measures time counts as skipped
 */
export function readCounts(path) {
  if (!existsSync(path)) return { isWhole: false, tests: [] };
  const lines = readFileSync(path, 'utf8').split('\n');
  const entries = lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  return {
    isWhole: entries.some(({ isWhole }) => isWhole),
    tests: entries.filter(({ isWhole }) => !isWhole),
  };
}

/** The files with a test that failed; '' stands for what failed outside of every file. */
export function failedFiles(tests) {
  return [...new Set(tests.filter(({ outcome }) => outcome === 'failed').map(({ file }) => file))];
}
