/** Requests to the API server that the operator may have no right to. */
import { isForbidden } from '@chaosdemo/kube-runtime';
import { ForbiddenError } from '../../subjects/cluster.ts';

/** The result of `request`. @throws {ForbiddenError} without the right to it */
export async function withForbiddenError<T>(request: Promise<T>): Promise<T> {
  return await request.catch((error: unknown) => {
    throw isForbidden(error) ? new ForbiddenError(error.message, { cause: error }) : error;
  });
}
