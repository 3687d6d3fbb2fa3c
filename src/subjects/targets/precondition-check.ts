/** What can be taken back in the middle of a run: the namespace's consent, the operator's rights, the pods. */
import type { Clock } from '../../demo/clock.ts';
import type { Finding } from '../../demo/findings.ts';
import type { Emit, SubjectPorts } from '../../demo/subject.ts';
import type { Cluster } from '../cluster.ts';
import { NamespaceReader } from './namespace-reader.ts';
import { orRefusal, Refusal } from './refusal.ts';

type PreconditionCheck = Extract<Finding, { kind: 'PreconditionCheck' }>;

/** How often is looked, in milliseconds. */
const LOOK_AGAIN_MS = 5000;

/**
 * Whether the namespace is still enabled and still lets the operator in, and which of `pods` are there no
 * more, or are being deleted. `gone` is left out where that could not be found out.
 *
 * @throws what the cluster throws if nothing could be found out
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
  // There is more than can be read: then nothing is said of ours.
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
 * Looks again every few seconds until `signal` aborts; a look that fails changes nothing.
 * @param tellsAdmission false: this process is there to undo things only, whatever has been mended since
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
        logger.warn({ err: error }, 'could not look whether the namespace is still enabled; trying again');
      }
    }
  }
}
