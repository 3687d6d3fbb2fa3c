/** Follows a run until it has ended, or it is clear that none will begin. */
import { exitOfRun } from '../exit-status.ts';
import { printVerdict, type ShowRunOptions, showRun } from '../show-run.ts';
import type { LiveState } from '../view/state.ts';
import { type Connection, pluginCommand } from './connection.ts';
import { PluginError } from './errors.ts';

/** Show a hint if no operator has seen the object for this long. */
const UNSEEN_MS = 15_000;

/** Options of the commands that show a run until it has ended. */
export interface Waiting {
  /** In milliseconds. */
  readonly timeout: number;
  readonly plain: boolean;
}

/**
 * Shows the object until its run has ended, and prints the verdict with its evidence.
 * @returns the exit status: 0 Succeeded, 1 Failed, 2 Errored or refused, 3 Aborted
 * @throws {PluginError} if it is deleted, or does not finish in time
 */
export async function awaitVerdict(
  connection: Connection,
  { name, print, signal }: Pick<ShowRunOptions, 'name' | 'print' | 'signal'>,
  { plain, timeout }: Waiting,
): Promise<number> {
  const { client, namespace } = connection;
  const startedAt = performance.now();
  const doctor = pluginCommand('doctor', { ...connection, name });
  let hinted = !plain;
  const onState = (state: LiveState): void => {
    const waited = performance.now() - startedAt;
    if (waited > timeout) throw timedOut(state, connection, timeout);
    const isUnseen = state.demo !== undefined && state.demo.status?.observedGeneration === undefined;
    if (hinted || waited <= UNSEEN_MS || !isUnseen) return;
    hinted = true;
    print(`   No operator has seen it so far. To find out why: ${doctor}`);
  };
  const shown = { client, namespace, name, plain, print, signal };
  const onInterrupt = 'leaves the run on and ends this';
  const onRefused = `To find out more: ${doctor}`;
  const demo = await showRun({ ...shown, onInterrupt, onRefused }, onState).catch((error: unknown) => {
    if (signal.aborted) {
      print(`${name} continues. To follow it: ${pluginCommand('watch', { ...connection, name })}`);
    }
    throw error;
  });
  await printVerdict(shown, demo);
  return exitOfRun(demo);
}

function timedOut({ demo, lost, name }: LiveState, place: Connection, timeoutMs: number): PluginError {
  const { chapter, message, phase } = demo?.status ?? {};
  const where = lost
    ? `the connection is lost: ${lost.why}`
    : `it is ${phase ?? 'not seen by an operator'}${chapter ? `, in ${chapter}` : ''}${message ? `: ${message}` : ''}`;
  return new PluginError(
    `no verdict of ${name} within ${Math.round(timeoutMs / 1000)} s; ${where}`,
    `To wait on: ${pluginCommand('wait', { ...place, name })}`,
  );
}
