/** The data of the pages: the port, and its implementation by the API server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isForbidden, isNotFound, resourcePath } from '@chaosdemo/kube-runtime';
import type { ChaosDemo } from '../../../api/index.ts';
import { evidenceName } from '../../../evidence/index.ts';
import { readEvidence } from '../../report/read.ts';
import type { ReportSource } from '../../report/report.ts';
import { follow } from '../../view/live.ts';
import type { Connection } from '../connection.ts';
import { CHAOS_DEMOS } from '../demos.ts';

export interface Place {
  readonly namespace: string;
  readonly name: string;
}

/** One ChaosDemo. Texts are raw; '' if empty. */
export interface OverviewRow extends Place {
  readonly phase: string;
  readonly reason: string;
  readonly chapter: string;
  readonly result: string;
  readonly message: string;
  /** Number of its active or last run; 0: none. */
  readonly run: number;
  /** When the last run ended; '' if none has, or one is active. */
  readonly endedAt: string;
  /** How its last runs ended, newest first. */
  readonly verdicts: readonly string[];
}

export interface Overview {
  /** undefined: all namespaces. */
  readonly namespace: string | undefined;
  readonly rows: readonly OverviewRow[];
  /** There are more that are not shown. */
  readonly isCut: boolean;
  /** All namespaces were requested, and may not be listed. */
  readonly isOneOfAll: boolean;
}

/** `lost`: the API server cannot be reached; `changed`: something may have changed. */
export type Change = 'changed' | 'lost';

/** Reads everything with the rights of the user. */
export interface UiSource {
  /** All ChaosDemos that the user may list. */
  overview(signal: AbortSignal): Promise<Overview>;
  /** The object, and the evidence of its current run; undefined: there is none of that name. */
  run(place: Place, signal: AbortSignal): Promise<ReportSource | undefined>;
  /** Reports changes of one object, or of any, until `signal` aborts; never rejects. */
  follow(place: Place | undefined, onChange: (change: Change) => void, signal: AbortSignal): Promise<void>;
}

/** More than a reader can take in. */
const MAX_ROWS = 200;
/** Maximum bytes of a list: a status has at most 32 KiB. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Verdicts of earlier runs that are shown. */
const MAX_VERDICTS = 5;
/** Milliseconds between two polls of the list. */
const POLL_MS = 3_000;
interface DemoList {
  readonly metadata?: { readonly continue?: string };
  readonly items: readonly ChaosDemo[];
}

/** With `namespaceGiven`, only that namespace; otherwise all, or that of the context if listing all is forbidden. */
export function kubeSource({ client, namespace, namespaceGiven }: Connection): UiSource {
  const list = async (of: string | undefined, signal: AbortSignal): Promise<Overview> =>
    overviewOf(
      of,
      await client.request<DemoList>({
        method: 'GET',
        path: resourcePath(CHAOS_DEMOS, { namespace: of }),
        query: { limit: MAX_ROWS },
        maxBytes: MAX_BYTES,
        signal,
      }),
    );
  const overview = async (signal: AbortSignal): Promise<Overview> => {
    if (namespaceGiven) return await list(namespace, signal);
    try {
      return await list(undefined, signal);
    } catch (error) {
      if (!isForbidden(error)) throw error;
      return { ...(await list(namespace, signal)), isOneOfAll: true };
    }
  };
  return {
    overview,

    async run(place, signal) {
      const path = resourcePath(CHAOS_DEMOS, { ...place });
      let demo: ChaosDemo;
      try {
        demo = await client.request<ChaosDemo>({ method: 'GET', path, signal });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
      const run = demo.status?.run?.number;
      if (run === undefined) return { demo };
      const { isAbsent, ...read } = await readEvidence(client, demo, run, signal);
      if (!isAbsent || demo.status?.run?.phase) return { demo, ...read };
      // The run is active: it may still come.
      return { demo, missing: `ConfigMap ${evidenceName(place.name, run)} is still empty` };
    },

    async follow(place, onChange, signal) {
      if (place) {
        const onInput: Parameters<typeof follow>[0]['onInput'] = (input) => {
          const isLost = input.kind === 'connection' && input.connection.state === 'lost';
          onChange(isLost ? 'lost' : 'changed');
        };
        return await follow({ client, ...place, onInput, signal });
      }
      let last: string | undefined;
      while (!signal.aborted) {
        try {
          const seen = JSON.stringify(await overview(signal));
          if (last !== undefined && seen !== last) onChange('changed');
          last = seen;
        } catch {
          if (!signal.aborted) onChange('lost');
          // After a loss, the first list is a change.
          last = '';
        }
        await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}

function overviewOf(namespace: string | undefined, { items, metadata }: DemoList): Overview {
  return {
    namespace,
    isCut: (metadata?.continue ?? '') !== '',
    isOneOfAll: false,
    rows: items.slice(0, MAX_ROWS).map(rowOf),
  };
}

function rowOf({ metadata: { name, namespace }, status = {} }: ChaosDemo): OverviewRow {
  const { chapter = '', conditions = [], history = [], message = '', phase = '', result = '', run } = status;
  return {
    namespace,
    name,
    phase,
    reason: conditions.find(({ type }) => type === 'Ready')?.reason ?? '',
    chapter,
    result,
    message,
    run: run?.number ?? 0,
    endedAt: run?.completedAt ?? '',
    verdicts: history.slice(0, MAX_VERDICTS).map((one) => one.phase),
  };
}
