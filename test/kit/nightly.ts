/** What only `npm run test:nightly` runs: further rows of tables, and the files of `test/integration/nightly`. */
import { inject } from 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    isNightly: boolean;
  }
}

/** For `runIf`. Not set in runs that are no `npm test`, such as `npm run test:redis`. */
export const isNightly = inject('isNightly') ?? false;

/** The rows of a table, each of which takes long: `npm test` runs only the first ones. */
export const rows = <T>(all: readonly T[], first = 1): readonly T[] =>
  isNightly ? all : all.slice(0, first);
