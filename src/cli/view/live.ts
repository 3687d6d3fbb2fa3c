/**
 * Follows one ChaosDemo and its evidence on the API server, and reports every change to a view. It
 * continues after any failure: a lost connection is reported, and restored when possible.
 */

import type { KubeApi, KubeObject, Logger, ReflectorActivity } from '@chaosdemo/kube-runtime';
import { isForbidden, isNotFound, Reflector, resourcePath, Store } from '@chaosdemo/kube-runtime';
import type { ChaosDemo } from '../../api/index.ts';
import { ANNOTATIONS, GROUP, messageOf, PLURAL, VERSION } from '../../api/index.ts';
import { evidenceName, readRunEvidence } from '../../evidence/index.ts';
import { drawOf } from '../../subjects/index.ts';
import type { LiveInput } from './state.ts';

/** People are waiting: retry a lost connection at least this often. */
const BACKOFF = { baseMs: 250, maxMs: 3_000 };
/** A watch that has been open this long without a failure counts as connected, although nothing may have come. */
const STANDS_MS = 1_500;

export interface LiveOptions {
  readonly client: KubeApi;
  readonly namespace: string;
  readonly name: string;
  /** Called with every input, in sequence. */
  readonly onInput: (input: LiveInput) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Follows until `signal` aborts, then resolves; never rejects. */
export async function follow({ client, name, namespace, onInput, signal }: LiveOptions): Promise<void> {
  const connection = new ConnectionWatch(onInput);
  const evidence = new EvidenceWatch({ client, namespace, onInput, signal });
  const demos = new Store<ChaosDemo & KubeObject>(silent);
  demos.subscribe(({ object, type }) => {
    connection.markConnected();
    onInput(type === 'deleted' ? { kind: 'deleted' } : { kind: 'object', demo: object });
    evidence.of(type === 'deleted' ? undefined : object);
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
  await reflectDemo.run(signal);
  connection.end();
  await evidence.ended;
}

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/** Follows the evidence of one run after the other. */
class EvidenceWatch {
  readonly #options: Pick<LiveOptions, 'client' | 'namespace' | 'onInput' | 'signal'>;
  #watched: string | undefined;
  #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: Pick<LiveOptions, 'client' | 'namespace' | 'onInput' | 'signal'>) {
    this.#options = options;
  }

  /** Resolves when nothing is followed any more. */
  get ended(): Promise<unknown> {
    return this.#running;
  }

  /** Switches to the evidence of the last run of this object; undefined: there is none. */
  of(demo: ChaosDemo | undefined): void {
    const run = demo?.status?.run?.number;
    const wanted = demo && run !== undefined ? evidenceName(demo.metadata.name, run) : undefined;
    if (wanted === this.#watched) return;
    this.#watched = wanted;
    this.#stop.abort(new Error('another run is active'));
    this.#stop = new AbortController();
    if (demo && wanted !== undefined)
      this.#running = Promise.all([this.#running, this.#follow(wanted, demo.spec)]);
  }

  async #follow(name: string, spec: ChaosDemo['spec']): Promise<void> {
    const { client, namespace, onInput, signal } = this.#options;
    const over = AbortSignal.any([signal, this.#stop.signal]);
    const store = new Store<ConfigMap>(silent);
    let latest: object | undefined;
    const show = async (object: ConfigMap): Promise<void> => {
      const { evidence, problem } = await readRunEvidence(object, drawOf(spec));
      // Another one has come while this one was drawn, or another run is shown.
      if (object !== latest || over.aborted) return;
      if (evidence) onInput({ kind: 'evidence', evidence });
      else onInput({ kind: 'no-evidence', why: `the ConfigMap ${name} cannot be read: ${problem}` });
    };
    store.subscribe(({ object, type }) => {
      latest = object;
      if (type !== 'deleted') void show(object);
    });
    const reflector = new Reflector({
      client,
      path: resourcePath({ group: '', version: 'v1', plural: 'configmaps' }, { namespace }),
      fieldSelector: `metadata.name=${name}`,
      store,
      backoff: BACKOFF,
      logger: {
        ...silent,
        warn: (fields) => {
          const why = failureOf(fields);
          if (why.lasting) onInput({ kind: 'no-evidence', why: `the ConfigMap ${name}: ${why.text}` });
        },
      },
    });
    await reflector.run(over);
  }
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Reports when the connection is lost and when it is back, once each. */
class ConnectionWatch {
  readonly #onInput: LiveOptions['onInput'];
  #state: 'connecting' | 'connected' | 'lost' = 'connecting';
  #standing: NodeJS.Timeout | undefined;

  constructor(onInput: LiveOptions['onInput']) {
    this.#onInput = onInput;
  }

  /** The reflector reports a failure before it logs the reason. */
  readonly logger: Logger = {
    ...silent,
    warn: (fields) => this.#lost(failureOf(fields).text),
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
    this.#onInput({ kind: 'connection', connection: { state: 'connected' } });
  }

  end(): void {
    clearTimeout(this.#standing);
  }

  #lost(why: string): void {
    clearTimeout(this.#standing);
    if (this.#state === 'lost') return;
    this.#state = 'lost';
    this.#onInput({ kind: 'connection', connection: { state: 'lost', sinceMs: Date.now(), why } });
  }
}

/** The reason of a failure; lasting: retries do not help. */
function failureOf(fields: object): { text: string; lasting: boolean } {
  const { err } = fields as { err?: unknown };
  const text = messageOf(err);
  return { text, lasting: isForbidden(err) || isNotFound(err) };
}
