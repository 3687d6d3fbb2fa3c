/** `advance`, `abort` and `rerun`: each sets one annotation that the operator acts on. */
import { ANNOTATIONS, type ChaosDemo } from '../../../api/index.ts';
import { EXIT } from '../../exit-status.ts';
import { waitingOf } from '../../stepper.ts';
import { pluginCommand } from '../connection.ts';
import { annotate } from '../demos.ts';
import { PluginError } from '../errors.ts';
import { type ClusterCommand, demoCommand, newRequest, print } from './command.ts';

/** The value to write, and its effect. */
interface Steering {
  readonly value: string;
  readonly does: string;
}

/** Makes the run leave the chapter in which it waits. @throws {PluginError} if it does not wait, with the reason */
export function advanceOf({ metadata, spec, status = {} }: ChaosDemo, kubectl: string): Steering {
  const { name } = metadata;
  const waiting = waitingOf(status);
  if (waiting) return { value: waiting.advance, does: `continues with ${waiting.next ?? 'its verdict'}` };
  if (!hasActiveRun(status)) throw noRun(metadata, kubectl, 'there is nothing to continue');
  const where = status.chapter ? `: it is in ${status.chapter}` : '';
  throw spec?.pace?.mode === 'Manual'
    ? new PluginError(
        `${name} does not wait for you${where}, whose work is not done`,
        `Wait until it does: ${pluginCommand('watch', { ...metadata, kubectl })}`,
      )
    : new PluginError(
        `${name} continues automatically${where}`,
        'To advance by hand, set spec.pace.mode: Manual',
      );
}

/** Stops the active run, and restores. @throws {PluginError} if none is active */
export function abortOf({ metadata, status = {} }: ChaosDemo, kubectl: string): Steering {
  if (!hasActiveRun(status)) throw noRun(metadata, kubectl, 'there is nothing to abort');
  const number = String(status.run?.number);
  return { value: number, does: `stops run ${number}, releases its fault and cleans up` };
}

/** Requests another run; an active one is superseded. */
export function rerunOf({ status = {} }: ChaosDemo): Steering {
  const supersedes = hasActiveRun(status) ? `, in place of run ${status.run?.number}, which is stopped` : '';
  return { value: newRequest(), does: `runs again${supersedes}` };
}

function hasActiveRun({ run }: NonNullable<ChaosDemo['status']>): boolean {
  return run !== undefined && run.completedAt === undefined;
}

function noRun(metadata: ChaosDemo['metadata'], kubectl: string, what: string): PluginError {
  return new PluginError(
    `${metadata.name} has no active run: ${what}`,
    `To start one: ${pluginCommand('rerun', { ...metadata, kubectl })}`,
  );
}

export const advance = steeringCommand('advance', advanceOf, {
  name: 'advance',
  summary: 'Let a run continue that waits for you',
  examples: ['kubectl chaosdemo advance demo -n ratelimiter'],
  notes: `Sets ${ANNOTATIONS.advance} to <run>/<chapter> of the chapter in which the run waits (spec.pace.mode: Manual).`,
});

export const abort = steeringCommand('abort', abortOf, {
  name: 'abort',
  summary: 'Stop a run, release its fault and restore',
  examples: ['kubectl chaosdemo abort demo -n ratelimiter'],
  notes: `Sets ${ANNOTATIONS.abort} to the number of the active run.`,
});

export const rerun = steeringCommand('requestedAt', rerunOf, {
  name: 'rerun',
  summary: 'Run again, without a change of the spec',
  examples: [
    'kubectl chaosdemo rerun demo -n ratelimiter',
    'kubectl chaosdemo rerun demo && kubectl chaosdemo wait demo',
  ],
  notes: `Sets ${ANNOTATIONS.requestedAt} to a new value. An active run is stopped first.`,
});

function steeringCommand(
  annotation: keyof typeof ANNOTATIONS,
  steering: (demo: ChaosDemo, kubectl: string) => Steering,
  text: Omit<ClusterCommand, 'run'>,
): ClusterCommand {
  return demoCommand({
    ...text,
    async run({ connection, signal }, demo) {
      const { name } = demo.metadata;
      const { value, does } = steering(demo, connection.kubectl);
      await annotate(connection, name, annotation, value, signal);
      print(`${connection.namespace}/${name} ${does} (${ANNOTATIONS[annotation]}=${value})`);
      return EXIT.done;
    },
  });
}
