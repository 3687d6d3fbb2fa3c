/**
 * Follows one ChaosDemo and its evidence on the API server. It continues after any failure: a lost connection is
 * reported until a request succeeds.
 */
import { isNotFound, type KubeApi, resourcePath, sleep } from '@chaosdemo/kube-runtime';
import { type ChaosDemo, messageOf } from '../../api/index.ts';
import { CHAOS_DEMOS } from '../plugin/demos.ts';
import { readEvidence } from '../report/read.ts';
import { isOfRun } from '../report/report.ts';
import { initialState, type LiveState } from './state.ts';

/** Milliseconds between two reads of the object. A chapter takes seconds, and its message stays in the status. */
const OBJECT_MS = 500;
/** Milliseconds between two reads of the evidence, which is written every few seconds. */
const EVIDENCE_MS = 2_000;
/** Milliseconds between two states: countdowns are shown in integer seconds. */
const TICK_MS = 200;

export interface LiveOptions {
  readonly client: KubeApi;
  readonly namespace: string;
  readonly name: string;
  /** Whether the evidence is followed as well. */
  readonly hasCharts: boolean;
  readonly signal: AbortSignal;
}

/**
 * Calls `resultOf` with the state several times a second until it returns something, and returns that.
 * @throws the reason of `signal`, or what `resultOf` throws
 */
export async function follow<T>(
  { client, hasCharts, name, namespace, signal: given }: LiveOptions,
  resultOf: (state: LiveState) => T | undefined,
): Promise<T> {
  const closed = new AbortController();
  const signal = AbortSignal.any([given, closed.signal]);
  const path = resourcePath(CHAOS_DEMOS, { namespace, name });
  let state = initialState(namespace, name);
  const learn = (change: Partial<LiveState>): void => {
    state = { ...state, ...change };
  };
  const readObject = async (): Promise<Partial<LiveState>> => {
    try {
      const demo = await client.request<ChaosDemo>({ method: 'GET', path, signal });
      return { demo, deleted: false, lost: undefined };
    } catch (error) {
      if (isNotFound(error)) return { deleted: state.demo !== undefined, lost: undefined };
      return { lost: { sinceMs: Date.now(), why: messageOf(error), ...state.lost } };
    }
  };
  // The evidence of the last run until it is complete, and then the evidence of the next run.
  const readCharts = async (): Promise<Partial<LiveState>> => {
    const { demo, evidence } = state;
    const run = demo?.status?.run?.number;
    if (!demo || run === undefined || (evidence?.complete && isOfRun(evidence, demo))) return {};
    // The object shows whether the connection is lost.
    const read = await readEvidence(client, demo, run, signal).catch(() => undefined);
    if (read?.evidence) return { evidence: read.evidence, noEvidence: undefined };
    return read && !read.isAbsent ? { noEvidence: read.missing } : {};
  };
  const repeat = async (everyMs: number, read: () => Promise<Partial<LiveState>>): Promise<void> => {
    while (!signal.aborted) {
      learn(await read());
      await sleep(everyMs, signal).catch(() => undefined);
    }
  };
  const following = [repeat(OBJECT_MS, readObject), ...(hasCharts ? [repeat(EVIDENCE_MS, readCharts)] : [])];
  try {
    for (;;) {
      const result = resultOf(state);
      if (result !== undefined) return result;
      await sleep(TICK_MS, given);
    }
  } finally {
    closed.abort(new Error('the view is closed'));
    await Promise.all(following);
  }
}
