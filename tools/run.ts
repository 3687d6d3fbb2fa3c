/** Programs that have to succeed. */
import { attempt, type Fix, type RunOptions, TestbedError } from '@chaosdemo/testbed';
import { fixOf } from './errors.ts';

/** Standard output of a program that must exit with 0. @throws TestbedError `fix`, with the end of its output */
export async function output(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
  fix: Fix = fixOf('COMMAND_FAILED'),
): Promise<string> {
  const { ok, stdout, errorText } = await attempt(command, args, options);
  if (ok) return stdout;
  throw new TestbedError(
    fix,
    `${command} ${args.join(' ')}: ${options.shown ? 'it failed, see above' : errorText}`,
  );
}
