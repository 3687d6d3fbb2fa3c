/** Preconditions that may change during a run: the namespace's consent, the operator's rights, the pods. */
import type { Clock } from '../../engine/clock.ts';
import type { Finding } from '../../engine/findings.ts';
import type { Emit, SubjectPorts } from '../../engine/subject.ts';
import type { Cluster } from '../cluster.ts';
import { NamespaceReader } from './namespace-reader.ts';
import { orRefusal, Refusal } from './refusal.ts';

type PreconditionCheck = Extract<Finding, { kind: 'PreconditionCheck' }>;

/** Interval of the checks, in milliseconds. */
const LOOK_AGAIN_MS = 5000;

/**
 * Whether the namespace is still enabled and still grants the operator its rights, and which of `pods` are gone or
 * being deleted. `gone` is left out if it cannot be determined.
 * @throws the cluster's error if nothing can be determined
 */
export async function checkPreconditions(
  cluster: Cluster,
  namespace: string,
  pods: readonly { readonly name: string; readonly uid: string }[],
  signal: AbortSignal,
): Promise<PreconditionCheck> {
  const reader = new NamespaceReader(cluster, namespace, signal);
  const found = await orRefusal(async () => {
    await reader.requireEnabled();
    return await reader.podMetadata();
  });
  if (found instanceof Refusal) return { kind: 'PreconditionCheck', admission: found.admission };
  const admission = { state: 'granted' } as const;
  // There are more pods than can be read: then the state of ours is unknown.
  if (found === undefined) return { kind: 'PreconditionCheck', admission };
  const staying = new Set(
    found.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.uid),
  );
  return {
    kind: 'PreconditionCheck',
    admission,
    gone: pods.filter(({ uid }) => !staying.has(uid)).map(({ name }) => name),
  };
}

/**
 * Checks every few seconds until `signal` aborts; a failed check changes nothing.
 * @param tellsAdmission false: this process may only undo things, whatever has been fixed since
 */
export async function watchPreconditions(
  look: (signal: AbortSignal) => Promise<PreconditionCheck>,
  { clock, logger }: { clock: Clock; logger: SubjectPorts<Cluster>['logger'] },
  tellsAdmission: boolean,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(LOOK_AGAIN_MS, signal);
      const { admission, ...rest } = await look(signal);
      emit(tellsAdmission && admission ? { ...rest, admission } : rest);
    } catch (error) {
      if (!signal.aborted) {
        logger.warn({ err: error }, 'could not check whether the namespace is still enabled; trying again');
      }
    }
  }
}
