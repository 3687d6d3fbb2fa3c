/** Preconditions that may change during a run: the namespace's consent, the operator's rights, the pods. */
import type { Clock } from '../../engine/clock.ts';
import type { Finding } from '../../engine/findings.ts';
import type { Emit, SubjectPorts } from '../../engine/subject.ts';
import type { Cluster } from '../cluster.ts';
import type { NamespaceReader } from './namespace-reader.ts';
import type { PodsNow } from './pods-now.ts';
import { orRefusal, Refusal } from './refusal.ts';

type PreconditionCheck = Extract<Finding, { kind: 'PreconditionCheck' }>;

/** Interval of the checks, in milliseconds. */
const LOOK_AGAIN_MS = 5000;

/**
 * Whether the namespace is still enabled and still grants the operator its rights, and which pods of the run are gone
 * or being deleted.
 * @throws the cluster's error if this cannot be determined
 */
export async function checkPreconditions(
  reader: Pick<NamespaceReader, 'namespace' | 'requireEnabled'>,
  look: () => Promise<PodsNow>,
): Promise<PreconditionCheck> {
  const found = await orRefusal(reader.namespace, async () => {
    await reader.requireEnabled();
    return await look();
  });
  if (found instanceof Refusal) return { kind: 'PreconditionCheck', admission: found.admission };
  return { kind: 'PreconditionCheck', admission: { state: 'granted' }, gone: found.replaced };
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
