/** Reads the data of a report from the API server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isForbidden, isNotFound, type KubeApi, resourcePath } from '@chaosdemo/kube-runtime';
import { type ChaosDemo, messageOf } from '../../api/index.ts';
import { evidenceName, historiesIn, readRunEvidence } from '../../evidence/index.ts';
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
  { metadata }: Pick<ChaosDemo, 'metadata'>,
  run: number,
  signal: AbortSignal,
): Promise<EvidenceRead> {
  const read = await readConfigMap(client, metadata, run, signal);
  if ('missing' in read) return read;
  const { problem, ...found } = await readRunEvidence(read.object, draw);
  if (found.evidence) return found;
  return { missing: `the ConfigMap ${evidenceName(metadata.name, run)} cannot be read: ${problem}` };
}

/**
 * The current histories of one run as JSON Lines, or why they are missing.
 * @throws Error if the ConfigMap is invalid
 */
export async function readHistories(
  client: KubeApi,
  demo: Pick<ChaosDemo['metadata'], 'name' | 'namespace'>,
  run: number,
  signal: AbortSignal,
): Promise<{ readonly lines: string } | { readonly missing: string }> {
  const read = await readConfigMap(client, demo, run, signal);
  if ('missing' in read) return read;
  const { data } = (read.object ?? {}) as { readonly data?: Record<string, unknown> };
  const lines = [...historiesIn(data ?? {}).values()].join('');
  return lines === ''
    ? { missing: `the ConfigMap ${evidenceName(demo.name, run)} has no history` }
    : { lines };
}

async function readConfigMap(
  client: KubeApi,
  { name, namespace }: Pick<ChaosDemo['metadata'], 'name' | 'namespace'>,
  run: number,
  signal: AbortSignal,
): Promise<{ readonly object: unknown } | { readonly missing: string; readonly isAbsent?: boolean }> {
  const configMap = evidenceName(name, run);
  const path = resourcePath(
    { group: '', version: 'v1', plural: 'configmaps' },
    { namespace, name: configMap },
  );
  try {
    return { object: await client.request({ method: 'GET', path, signal }) };
  } catch (error) {
    if (isNotFound(error)) return { missing: `there is no ConfigMap ${configMap}`, isAbsent: true };
    if (!isForbidden(error)) throw error;
    return { missing: `you may not read the ConfigMap ${configMap} (get configmaps in ${namespace})` };
  }
}
