/** Temporary folders, which go with the tests that use them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

function folderUntil(end: (remove: () => void) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'chaosdemo-test-'));
  end(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A folder for all tests of a file, removed after all that the file stops. Call it outside of hooks. */
export const folderOfFile = (): string => folderUntil(afterAll);

/** A folder for one test. @param finished that of its context if tests of the file run at the same time */
export const folderOfTest = (finished: (remove: () => void) => void = onTestFinished): string =>
  folderUntil(finished);
