/**
 * How the checks of admission say no: they throw a {@link Refusal}, which goes
 * into the status as it is. Whatever else they throw is a failure to find out.
 */
import { LIMITS, type Reason, truncate } from '../../api/index.ts';
import type { Admission } from '../../demo/observed.ts';
import { ForbiddenError } from '../cluster.ts';

/** Somebody has to change something first. The message says what. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }

  /** As `decide` reads it, cut to what a status takes. */
  get admission(): Extract<Admission, { state: 'refused' }> {
    return { state: 'refused', reason: this.reason, message: truncate(this.message, LIMITS.message) };
  }
}

/**
 * The refusal for a 403 in a namespace, with the command that makes the missing
 * RoleBinding. The API server's own words say as whom the operator asked, so the
 * command is right wherever and under whatever name it is installed.
 */
export function permissionDenied(namespace: string, error: ForbiddenError): Refusal {
  const account = /User "system:serviceaccount:([a-z0-9-]+:[a-z0-9.-]+)"/.exec(error.message)?.[1];
  const what = /cannot [a-z]+ resource "[a-z/]+"/.exec(error.message)?.[0] ?? 'is not permitted to look';
  return new Refusal(
    'PermissionDenied',
    `the operator ${what} in namespace ${namespace}. Let it: kubectl create rolebinding chaosdemo-target ` +
      `--clusterrole=chaosdemo-target --serviceaccount=${account ?? '<namespace>:<service account of the operator>'} -n ${namespace}`,
  );
}

/** Runs a call in a namespace; a 403 becomes the refusal that tells how to permit it. */
export async function permitted<T>(namespace: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ForbiddenError) throw permissionDenied(namespace, error);
    throw error;
  }
}

/** What `look` finds, or the refusal that it throws. @throws all else that `look` throws */
export async function orRefusal<T>(look: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** "a", "a and b", "a, b and 3 more": names as a message has room for. */
export function listed(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most);
  if (names.length > most) return `${shown.join(', ')} and ${names.length - most} more`;
  if (shown.length < 2) return shown.join('');
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
