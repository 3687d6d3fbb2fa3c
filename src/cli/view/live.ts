/**
 * Follows one ChaosDemo and its evidence on the API server, and reports every change to a view. It
 * continues after any failure: a lost connection is reported, and restored when possible.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeApi, KubeObject, Logger, ReflectorActivity } from '@chaosdemo/kube-runtime';
import { Reflector, resourcePath, Store } from '@chaosdemo/kube-runtime';
import type { ChaosDemo } from '../../api/index.ts';
import { ANNOTATIONS, GROUP, messageOf, PLURAL, VERSION } from '../../api/index.ts';
import type { RunEvidence } from '../../evidence/index.ts';
import { readEvidence } from '../report/read.ts';
import { isOfRun } from '../report/report.ts';
import type { LiveState } from './state.ts';

/** People are waiting: retry a lost connection at least this often. */
const BACKOFF = { baseMs: 250, maxMs: 3_000 };
/** A watch that has been open this long without a failure counts as connected, although nothing may have come. */
const STANDS_MS = 1_500;

/** Milliseconds between two reads of the evidence, which is written every few seconds. */
const POLL_MS = 2_000;

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
  const connection = new ConnectionWatch(onChange);
  let demo: ChaosDemo | undefined;
  const demos = new Store<ChaosDemo & KubeObject>(silent);
  demos.subscribe(({ object, type }) => {
    connection.markConnected();
    demo = type === 'deleted' ? undefined : object;
    onChange(demo ? { demo, deleted: false } : { deleted: true });
  });
  const reflectDemo = new Reflector({
    client,
    path: resourcePath({ group: GROUP, version: VERSION, plural: PLURAL }, { namespace }),
    fieldSelector: `metadata.name=${name}`,
    annotations: Object.values(ANNOTATIONS),
    store: demos,
    backoff: BACKOFF,
    logger: connection.logger,
    onActivity: (activity) => connection.onActivity(activity),
  });
  const charts = hasCharts ? followEvidence(options, () => demo) : undefined;
  await reflectDemo.run(signal);
  connection.end();
  await charts;
}

/** Reads the evidence of the last run until it is complete, and then that of the next run. */
async function followEvidence(
  { client, onChange, signal }: LiveOptions,
  current: () => ChaosDemo | undefined,
): Promise<void> {
  let evidence: RunEvidence | undefined;
  while (!signal.aborted) {
    const demo = current();
    const run = demo?.status?.run?.number;
    const isRead = evidence?.complete && demo && isOfRun(evidence, demo);
    if (demo && run !== undefined && !isRead) {
      // The object shows whether the connection is lost.
      const read = await readEvidence(client, demo, run, signal).catch(() => undefined);
      evidence = read?.evidence;
      if (evidence) onChange({ evidence, noEvidence: undefined });
      else if (read && !read.isAbsent) onChange({ noEvidence: read.missing });
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Reports when the connection is lost and when it is back, once each. */
class ConnectionWatch {
  readonly #onChange: LiveOptions['onChange'];
  #state: 'connecting' | 'connected' | 'lost' = 'connecting';
  #standing: NodeJS.Timeout | undefined;

  constructor(onChange: LiveOptions['onChange']) {
    this.#onChange = onChange;
  }

  /** The reflector reports a failure before it logs the reason. */
  readonly logger: Logger = {
    ...silent,
    warn: (fields) => this.#lost(messageOf((fields as { err?: unknown }).err)),
  };

  onActivity(activity: ReflectorActivity): void {
    clearTimeout(this.#standing);
    if (activity === 'listed') this.markConnected();
    // An open watch may not have been answered: it counts once it has been open for a while.
    if (activity === 'watching') this.#standing = setTimeout(() => this.markConnected(), STANDS_MS);
  }

  /** Called when anything comes from the API server. */
  markConnected(): void {
    clearTimeout(this.#standing);
    if (this.#state === 'connected') return;
    this.#state = 'connected';
    this.#onChange({ connection: { state: 'connected' } });
  }

  end(): void {
    clearTimeout(this.#standing);
  }

  #lost(why: string): void {
    clearTimeout(this.#standing);
    if (this.#state === 'lost') return;
    this.#state = 'lost';
    this.#onChange({ connection: { state: 'lost', sinceMs: Date.now(), why } });
  }
}
