/** Keys of accounts that the user names for callers: read from a file, and never printed. */
import { readFile } from 'node:fs/promises';
import { UsageError } from '@chaosdemo/settings';
import { messageOf } from '../../api/index.ts';
import { accountsIn } from '../../subjects/admission/http-auth.ts';
import { CallerPool } from '../../subjects/http/caller-pool.ts';

/** Left out: callers get keys that are made up. @throws UsageError with what to change in the file */
export async function readPool(file: string | undefined): Promise<CallerPool | undefined> {
  if (file === undefined) return undefined;
  const refuse = (why: string): never => {
    throw new UsageError(`--callers ${file} ${why}`);
  };
  const text = await readFile(file, 'utf8').catch((error: unknown) =>
    refuse(`cannot be read: ${messageOf(error)}`),
  );
  const pool = new CallerPool(() => performance.now());
  pool.hold(accountsIn(text, refuse));
  return pool;
}
