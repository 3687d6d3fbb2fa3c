/** Follows a run until it has ended, or it is clear that none will begin. */
import type { ChaosDemo } from '../../api/index.ts';
import { readDiagnoses } from '../report/read.ts';
import { verdictLines } from '../run-text.ts';
import { folded } from '../view/line.ts';
import { type Display, showLive } from '../view/session.ts';
import type { LiveState } from '../view/state.ts';
import { type Connection, pluginCommand } from './connection.ts';
import { PluginError } from './errors.ts';
import { type Outcome, Waiter } from './run-state.ts';

/** Show a hint if no operator has seen the object for this long. */
const UNSEEN_MS = 15_000;

export interface AwaitOptions {
  readonly connection: Connection;
  readonly name: string;
  readonly display: Display;
  /** Prints a line once the display is closed. */
  readonly print: (line: string) => void;
  /** Prints a line at once, if the display allows it. */
  readonly hint: (line: string) => void;
  /** Prints all figures and evidence after the run. */
  readonly verbose: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Shows the object until its run has ended, and prints the verdict with its evidence.
 * @returns the exit status: 0 Succeeded, 1 Failed, 2 Errored or refused, 3 Aborted
 * @throws {PluginError} if it is deleted, or does not finish in time
 */
export async function awaitVerdict(options: AwaitOptions): Promise<number> {
  const { connection, display, hint, name, print, signal, timeoutMs, verbose } = options;
  const waiter = new Waiter();
  const startedAt = performance.now();
  let hinted = false;
  const resultOf = (state: LiveState): { demo: ChaosDemo; outcome: Outcome } | undefined => {
    const waited = performance.now() - startedAt;
    if (state.deleted) throw new PluginError(`${name} was deleted`);
    if (waited > timeoutMs) throw timedOut(state, connection, timeoutMs);
    if (state.demo === undefined) return undefined;
    const outcome = waiter.observe(state.demo, performance.now());
    if (outcome) return { demo: state.demo, outcome };
    if (!hinted && waited > UNSEEN_MS && state.demo.status?.observedGeneration === undefined) {
      hinted = true;
      hint(`   No operator has seen it so far. To find out why: ${doctorOf(connection, name)}`);
    }
    return undefined;
  };
  const { client, namespace } = connection;
  const { demo, outcome } = await showLive({ client, namespace, name, display, signal, resultOf }).catch(
    (error: unknown) => {
      if (signal.aborted) {
        print(`${name} continues. To follow it: ${pluginCommand('watch', { ...connection, name })}`);
      }
      throw error;
    },
  );
  if (outcome.why === 'refused') {
    throw new PluginError(
      `${name} is refused (${outcome.reason}): ${outcome.message}`,
      `To find out more: ${doctorOf(connection, name)}`,
    );
  }
  const { evidence } = await readDiagnoses(client, demo, signal);
  for (const line of verdictLines(demo, evidence, verbose).flatMap((line) =>
    folded(line, process.stdout.columns),
  ))
    print(line);
  return outcome.exit;
}

function timedOut({ connection, demo, name }: LiveState, place: Connection, timeoutMs: number): PluginError {
  const { chapter, message, phase } = demo?.status ?? {};
  const where =
    connection.state === 'lost'
      ? `the connection is lost: ${connection.why}`
      : `it is ${phase ?? 'not seen by an operator'}${chapter ? `, in ${chapter}` : ''}${message ? `: ${message}` : ''}`;
  return new PluginError(
    `no verdict of ${name} within ${Math.round(timeoutMs / 1000)} s; ${where}`,
    `To wait on: ${pluginCommand('wait', { ...place, name })}`,
  );
}

function doctorOf(connection: Connection, name: string): string {
  return pluginCommand('doctor', { ...connection, name });
}
