/** Reads the data of a report from the API server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { corePath, isForbidden, isNotFound, type KubeApi } from '@chaosdemo/kube-runtime';
import { type ChaosDemo, messageOf } from '../../api/index.ts';
import { evidenceName, readRunEvidence } from '../../evidence/index.ts';
import { draw } from '../../subjects/index.ts';
import type { ReportSource } from './report.ts';

/** The last of the evidence is written a moment after the verdict. How long to wait for it, and how often to check. */
const EVIDENCE_TIMEOUT_MS = 6_000;
const POLL_MS = 400;
/** The evidence of a run that ended longer ago is final. */
const OLD_MS = 90_000;

/** The evidence of a run, or why it is missing; `isAbsent`: not written yet, or removed. */
export interface EvidenceRead extends Omit<ReportSource, 'demo'> {
  readonly isAbsent?: boolean;
}

/**
 * The object with the evidence of its last run, or why it is missing. Waits a few seconds for its end.
 * @throws the reason of `signal`
 */
export async function readSource(
  client: KubeApi,
  demo: ChaosDemo,
  signal: AbortSignal,
): Promise<ReportSource> {
  const { run } = demo.status ?? {};
  if (!run) return { demo };
  // The clocks of the two machines may differ a little.
  const isNew = Math.abs(Date.now() - Date.parse(run.completedAt ?? '')) < OLD_MS;
  const until = performance.now() + (isNew ? EVIDENCE_TIMEOUT_MS : 0);
  for (;;) {
    const { isAbsent, ...read } = await readEvidence(client, demo, run.number, signal).catch(
      (error: unknown): EvidenceRead => {
        signal.throwIfAborted();
        return { missing: messageOf(error) };
      },
    );
    const isLast = read.evidence?.complete ?? !isAbsent;
    if (isLast || performance.now() >= until) return { demo, ...read };
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** The current evidence of one run. */
export async function readEvidence(
  client: KubeApi,
  { metadata: { name, namespace } }: Pick<ChaosDemo, 'metadata'>,
  run: number,
  signal: AbortSignal,
): Promise<EvidenceRead> {
  const configMap = evidenceName(name, run);
  const path = corePath('configmaps', { namespace, name: configMap });
  try {
    const object = await client.request({ method: 'GET', path, signal });
    const { problem, ...found } = await readRunEvidence(object, draw);
    return found.evidence ? found : { missing: `the ConfigMap ${configMap} cannot be read: ${problem}` };
  } catch (error) {
    if (isNotFound(error)) return { missing: `there is no ConfigMap ${configMap}`, isAbsent: true };
    if (!isForbidden(error)) throw error;
    return { missing: `you may not read the ConfigMap ${configMap} (get configmaps in ${namespace})` };
  }
}
