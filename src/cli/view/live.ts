/**
 * Follows one ChaosDemo and its evidence on the API server, and reports every change to a view. It continues after any
 * failure: a lost connection is reported until a request succeeds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isNotFound, type KubeApi, resourcePath } from '@chaosdemo/kube-runtime';
import { type ChaosDemo, GROUP, messageOf, PLURAL, VERSION } from '../../api/index.ts';
import type { RunEvidence } from '../../evidence/index.ts';
import { readEvidence } from '../report/read.ts';
import { isOfRun } from '../report/report.ts';
import type { LiveState } from './state.ts';

/** Milliseconds between two reads of the object. A chapter takes seconds, and its message stays in the status. */
const OBJECT_MS = 500;
/** Milliseconds between two reads of the evidence, which is written every few seconds. */
const EVIDENCE_MS = 2_000;

export interface LiveOptions {
  readonly client: KubeApi;
  readonly namespace: string;
  readonly name: string;
  /** Whether the evidence is followed as well. */
  readonly hasCharts: boolean;
  /** Called with every change of the state, in sequence. */
  readonly onChange: (change: Partial<LiveState>) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Follows until `signal` aborts, then resolves; never rejects. */
export async function follow(options: LiveOptions): Promise<void> {
  const { client, hasCharts, name, namespace, onChange, signal } = options;
  const path = resourcePath({ group: GROUP, version: VERSION, plural: PLURAL }, { namespace, name });
  let demo: ChaosDemo | undefined;
  let lost: LiveState['lost'];
  const charts = hasCharts ? followEvidence(options, () => demo) : undefined;
  await repeat(OBJECT_MS, signal, async () => {
    try {
      demo = await client.request<ChaosDemo>({ method: 'GET', path, signal });
      lost = undefined;
      onChange({ demo, deleted: false, lost });
    } catch (error) {
      const isAbsent = isNotFound(error);
      lost = isAbsent ? undefined : { sinceMs: Date.now(), why: messageOf(error), ...lost };
      if (!signal.aborted) onChange(isAbsent ? { deleted: demo !== undefined, lost } : { lost });
    }
  });
  await charts;
}

/** Reads the evidence of the last run until it is complete, and then that of the next run. */
async function followEvidence(
  { client, onChange, signal }: LiveOptions,
  current: () => ChaosDemo | undefined,
): Promise<void> {
  let evidence: RunEvidence | undefined;
  await repeat(EVIDENCE_MS, signal, async () => {
    const demo = current();
    const run = demo?.status?.run?.number;
    if (!demo || run === undefined || (evidence?.complete && isOfRun(evidence, demo))) return;
    // The object shows whether the connection is lost.
    const read = await readEvidence(client, demo, run, signal).catch(() => undefined);
    evidence = read?.evidence;
    if (evidence) onChange({ evidence, noEvidence: undefined });
    else if (read && !read.isAbsent) onChange({ noEvidence: read.missing });
  });
}

async function repeat(everyMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work();
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
