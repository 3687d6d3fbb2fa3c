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
}

/** Waits for a change by a person. The message states which. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: Reason;
  /** Arguments of the kubectl command at the end of the message, safe to paste. */
  readonly command: string | undefined;

  constructor(reason: Reason, text: string, { cause, command }: RefusalOptions = {}) {
    super(command === undefined ? text : `${text}: kubectl ${command}`, { cause });
    this.command = command;
    this.reason = reason;
  }

  /** As `decide` reads it, cut to the length limit of a status. */
  get admission(): Extract<Admission, { state: 'refused' }> {
    return { state: 'refused', reason: this.reason, message: truncate(this.message, LIMITS.message) };
  }
}

/**
 * The refusal for a 403 in a namespace, with the command that creates the missing RoleBinding. The API server's message
 * names the user of the operator, so the command is right wherever and under whatever name it is installed.
 */
export function permissionDenied(namespace: string, error: ForbiddenError): Refusal {
  const account = /User "system:serviceaccount:([a-z0-9-]+:[a-z0-9.-]+)"/.exec(error.message)?.[1];
  const what = /cannot [a-z]+ resource "[a-z/]+"/.exec(error.message)?.[0] ?? 'has no permission to read';
  return new Refusal(
    'PermissionDenied',
    `the operator ${what} in namespace ${namespace}. Let it: kubectl create rolebinding chaosdemo-target ` +
      `--clusterrole=chaosdemo-target --serviceaccount=${account ?? '<namespace>:<service account of the operator>'} -n ${namespace}`,
    { cause: error },
  );
}

/** Runs a call in a namespace; a 403 becomes the refusal that states how to permit it. */
export async function permitted<T>(namespace: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ForbiddenError) throw permissionDenied(namespace, error);
    throw error;
  }
}

/** The refusal that an error is, also of a Redis that must not be disturbed; undefined: it is none. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof RedisRefusal) return new Refusal(error.reason, error.message, { cause: error });
  return error instanceof Refusal ? error : undefined;
}

/** The result of `look`, or the refusal that it throws. @throws any other error of `look` */
export async function orRefusal<T>(look: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await look();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal) return refusal;
    throw error;
  }
}
