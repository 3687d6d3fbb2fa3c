/** Values of the annotations that steer a run. Pure. */
import type { ChaosDemo } from '../../api/index.ts';
import { waitingOf } from '../stepper.ts';
import { pluginCommand } from './connection.ts';
import { PluginError } from './errors.ts';

/** The value to write, and its effect. */
export interface Steering {
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
  throw new PluginError(
    spec?.pace?.mode === 'Manual'
      ? `${name} does not wait for you${where}, whose work is not done`
      : `${name} continues automatically${where}`,
    spec?.pace?.mode === 'Manual'
      ? `Wait until it does: ${pluginCommand('watch', placeOf(metadata, kubectl))}`
      : 'To advance by hand, set spec.pace.mode: Manual',
  );
}

/** Stops the active run, and restores. @throws {PluginError} if none is active */
export function abortOf({ metadata, status = {} }: ChaosDemo, kubectl: string): Steering {
  if (!hasActiveRun(status)) throw noRun(metadata, kubectl, 'there is nothing to abort');
  const number = String(status.run?.number);
  return { value: number, does: `stops run ${number}, releases its fault and cleans up` };
}

/** Requests another run; an active one is superseded. @param request a new value of the annotation */
export function rerunOf({ status = {} }: ChaosDemo, request: string): Steering {
  const supersedes = hasActiveRun(status) ? `, in place of run ${status.run?.number}, which is stopped` : '';
  return { value: request, does: `runs again${supersedes}` };
}

function hasActiveRun({ run }: NonNullable<ChaosDemo['status']>): boolean {
  return run !== undefined && run.completedAt === undefined;
}

function noRun(metadata: ChaosDemo['metadata'], kubectl: string, what: string): PluginError {
  return new PluginError(
    `${metadata.name} has no active run: ${what}`,
    `To start one: ${pluginCommand('rerun', placeOf(metadata, kubectl))}`,
  );
}

function placeOf({ name, namespace }: ChaosDemo['metadata'], kubectl: string) {
  return { kubectl, name, namespace };
}
