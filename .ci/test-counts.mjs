/** What test-counter.mjs wrote of the stages of a run. */
import { existsSync, readFileSync } from 'node:fs';

/** Of a stage's second try. */
export const AGAIN = '-again';

/** @returns {{file: string, name: string, outcome: 'passed' | 'failed' | 'skipped', why?: string[]}[]} */
export function readCounts(path) {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

/** The files with a test that failed; '' stands for what failed outside of every file. */
export function failedFiles(counts) {
  return [...new Set(counts.filter(({ outcome }) => outcome === 'failed').map(({ file }) => file))];
}
