/** ChaosDemos on a Kubernetes API server. */

import type { GuardedWrite, KubeApi } from '@chaosdemo/kube-runtime';
import {
  ApiError,
  applyStatus,
  ifFound,
  isConflict,
  isNotFound,
  resourcePath,
  writeFinalizers,
} from '@chaosdemo/kube-runtime';
import type { ChaosDemo } from '../../api/index.ts';
import { GROUP, PLURAL, VERSION } from '../../api/index.ts';
import type { DemoApi, Write } from '../shell/ports.ts';

export const CHAOS_DEMO_TYPE = { group: GROUP, version: VERSION, plural: PLURAL };
const FIELD_MANAGER = 'chaosdemo-operator';

/** @param read the object of a key in the cache */
export function createKubeDemoApi(client: KubeApi, read: (key: string) => ChaosDemo | undefined): DemoApi {
  const guarded = (demo: ChaosDemo, signal: AbortSignal): GuardedWrite<ChaosDemo> => ({
    client,
    type: CHAOS_DEMO_TYPE,
    object: demo,
    fieldManager: FIELD_MANAGER,
    signal,
  });
  return {
    read,
    async fetch({ metadata }, signal) {
      const { name, namespace } = metadata;
      const path = resourcePath(CHAOS_DEMO_TYPE, { namespace, name });
      return await ifFound(client.request<ChaosDemo>({ method: 'GET', path, signal }));
    },
    applyStatus: (demo, status, signal) => writeOutcome(applyStatus(guarded(demo, signal), status)),
    writeFinalizers: (demo, finalizers, signal) =>
      writeOutcome(writeFinalizers(guarded(demo, signal), finalizers)),
  };
}

/** The outcome of a write; errors that are definite answers become states. */
async function writeOutcome(write: Promise<ChaosDemo>): Promise<Write> {
  try {
    return { state: 'stored', demo: await write };
  } catch (error) {
    if (isConflict(error)) return { state: 'conflict' };
    if (isNotFound(error)) return { state: 'gone' };
    if (isRefusal(error)) return { state: 'refused', error };
    throw error;
  }
}

function isRefusal(error: unknown): error is ApiError {
  // It could not be parsed, is too large, or does not pass validation.
  return error instanceof ApiError && [400, 413, 422].includes(error.status);
}
