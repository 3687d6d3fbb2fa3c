/**
 * The result of a failed admission check: a {@link Refusal}, which goes into the status unchanged. Any other error
 * means that the check could not be made.
 */
import { RedisRefusal } from '@chaosdemo/redis-faults';
import { LIMITS, type Reason, truncate } from '../../api/index.ts';
import type { Admission } from '../../engine/observed.ts';
import { ForbiddenError } from '../cluster.ts';

interface RefusalOptions extends ErrorOptions {
  readonly command?: string | undefined;
  readonly state?: Refusal['state'];
}

/** Why no run may begin now. The message states what has to change. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: Reason;
  /** Waiting: it changes without a person. */
  readonly state: 'refused' | 'waiting';
  /** Arguments of the kubectl command at the end of the message, safe to paste. */
  readonly command: string | undefined;

  constructor(reason: Reason, text: string, { cause, command, state = 'refused' }: RefusalOptions = {}) {
    super(command === undefined ? text : `${text}: kubectl ${command}`, { cause });
    this.command = command;
    this.reason = reason;
    this.state = state;
  }

  /** As `decide` reads it, cut to the length limit of a status. */
  get admission(): Extract<Admission, { readonly reason: Reason }> {
    return { state: this.state, reason: this.reason, message: truncate(this.message, LIMITS.message) };
  }
}

/** It is unknown whether the target may be disturbed: nothing was done, and the shell tries again. */
export class NotFoundOutError extends Error {
  override readonly name = 'NotFoundOutError';
}

/** What a run waits for. */
export function waitFor(reason: Reason, message: string): Refusal {
  return new Refusal(reason, message, { state: 'waiting' });
}

/**
 * The refusal for a 403 in a namespace, with the command that creates the missing RoleBinding. The API server's message
 * names the user of the operator, so the command is right wherever and under whatever name it is installed.
 */
function permissionDenied(namespace: string, error: ForbiddenError): Refusal {
  // Granted cluster-wide, so a RoleBinding would not help.
  if (error.message.includes('resource "namespaces"')) {
    return new Refusal(
      'PermissionDenied',
      `the operator may not read namespaces: apply its ClusterRole and ClusterRoleBinding again (${error.message})`,
      { cause: error },
    );
  }
  const account = /User "system:serviceaccount:([a-z0-9-]+:[a-z0-9.-]+)"/.exec(error.message)?.[1];
  const what = /cannot [a-z]+ resource "[a-z/]+"/.exec(error.message)?.[0] ?? 'has no permission to read';
  return new Refusal(
    'PermissionDenied',
    `the operator ${what} in namespace ${namespace}. Let it: kubectl create rolebinding chaosdemo-target ` +
      `--clusterrole=chaosdemo-target --serviceaccount=${account ?? '<namespace>:<service account of the operator>'} -n ${namespace}`,
    { cause: error },
  );
}

/**
 * The result of a look into a namespace, or the refusal that it throws: its own, that of a Redis, or a 403 with how to
 * permit it.
 * @throws any other error of `look`
 */
export async function orRefusal<T>(namespace: string, look: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof Refusal) return error;
    if (error instanceof RedisRefusal) return new Refusal(error.reason, error.message, { cause: error });
    if (error instanceof ForbiddenError) return permissionDenied(namespace, error);
    throw error;
  }
}
