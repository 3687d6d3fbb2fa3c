/** The context of every check of `doctor`: the user's cluster, read with the user's rights. */

import { ApiError, isForbidden, isNotFound, type KubeRequest } from '@chaosdemo/kube-runtime';
import { type ChaosDemo, messageOf } from '../../../api/index.ts';
import type { Connection } from '../connection.ts';
import type { Finding } from './finding.ts';

export interface CheckContext extends Connection {
  /** Namespace of the operator. */
  readonly system: string;
  readonly signal: AbortSignal;
}

/** As {@link CheckContext}, once the object was found. */
export interface DemoCheckContext extends CheckContext {
  readonly demo: ChaosDemo;
}

/** Maximum bytes of one response. */
const READ_BYTES = 16 * 1024 * 1024;

/**
 * The response of the API server; undefined: there is no such object. @throws {ApiError} for a refusal, and if there is
 * no response
 */
export async function read<T>(
  { client, signal }: Pick<CheckContext, 'client' | 'signal'>,
  path: string,
  request: Pick<KubeRequest, 'query'> = {},
): Promise<T | undefined> {
  try {
    return await client.request<T>({
      method: 'GET',
      ...request,
      path,
      signal,
      timeoutMs: 10_000,
      maxBytes: READ_BYTES,
    });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The finding of a check; a failure to run it is a finding too. @throws the reason of the signal */
export async function checked(
  check: string,
  { signal }: Pick<CheckContext, 'signal'>,
  run: () => Promise<Omit<Finding, 'check'>>,
): Promise<Finding> {
  try {
    return { check, ...(await run()) };
  } catch (error) {
    signal.throwIfAborted();
    return { check, state: 'unknown', message: whyUnknown(error) };
  }
}

function whyUnknown(error: unknown): string {
  const text = messageOf(error);
  if (isForbidden(error)) return `you have no permission to check this: ${text}`;
  return error instanceof ApiError ? `the API server rejected the request: ${text}` : text;
}
