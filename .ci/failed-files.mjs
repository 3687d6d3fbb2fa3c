/**
 * Prints the files of a stage that are worth a second try, a line each: those with a test that failed, where they are
 * few. What is wrong with the code fails again; a machine that stood still for seconds has failed a test by chance.
 */
import { failedFiles, readCounts } from './test-counts.mjs';

/** More than that do not fail by chance. */
const MOST_FILES = 5;

const { isWhole, tests } = readCounts(process.argv[2]);
const files = failedFiles(tests);
// One that broke off has not run them all.
if (isWhole && files.length <= MOST_FILES && !files.includes('')) for (const file of files) console.log(file);
