/**
 * One reconcile: take the object and what its session has seen, decide, store
 * the status, and only then do what was decided.
 */
import type { Logger as PinoLogger } from 'pino';
import type { ChaosDemo, ChaosDemoStatus } from '../api/index.ts';
import { ANNOTATIONS, API_VERSION, FINALIZER, GROUP, KIND, PLURAL, VERSION } from '../api/index.ts';
import { runIsOn } from '../demo/context.ts';
import type { Decision } from '../demo/decide.ts';
import { decide } from '../demo/decide.ts';
import type { Admission, Observed } from '../demo/observed.ts';
import { nothingObserved } from '../demo/observed.ts';
import { rejectedStatus } from '../demo/rejected-status.ts';
import { isTransition } from '../demo/transition.ts';
import { ApiError, isConflict, isInvalid, isNotFound } from '../kube/api-error.ts';
import type { GuardedWrite } from '../kube/apply.ts';
import { addFinalizer, applyStatus, removeFinalizer } from '../kube/apply.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ReconcileResult } from '../kube/controller.ts';
import { resourcePath } from '../kube/resource-path.ts';
import { rateLimiterDefinition } from '../subjects/ratelimiter/index.ts';
import { AdmissionDesk } from './admission.ts';
import { findReleasable, findSettledTemplate } from './discovery.ts';
import { childLogger } from './log.ts';
import { Session } from './session.ts';
import type { Audience } from './transitions.ts';
import { tell } from './transitions.ts';

export const CHAOS_DEMO_TYPE = { group: GROUP, version: VERSION, plural: PLURAL };
const FIELD_MANAGER = 'chaosdemo-operator';

/** How long a refusal stands before it is looked again, so that not every reconcile asks Kubernetes and Redis. */
const FINDING_MS = 2500;

/** When an object is looked at again whose status was refused. */
const REJECTED_RETRY_MS = 10_000;

/** How long the end of a fault and the removal of its keys may take when a run is cut off. */
const RELEASE_WITHIN_MS = 15_000;

export interface ReconcilerOptions {
  client: KubeClient;
  logger: PinoLogger;
  audience: Audience;
  /** The object of a key as the cache has it. */
  read: (key: string) => ChaosDemo | undefined;
  /** Asks for another reconcile of a key. */
  enqueue: (key: string) => void;
  /** Whether this process may act on the cluster at this moment. */
  mayAct: () => boolean;
  killSwitchIsOn: () => boolean;
}

/** What is kept for an object between reconciles. */
interface Entry {
  uid: string;
  /** Newer than the cache right after a write of ours. */
  latest?: ChaosDemo;
  session?: Session;
  finding?: { admission: Admission; generation: number; until: number };
  /** What the last look at the pods showed, where a rollout would start a run. */
  rollout?: { podTemplate: string | undefined; generation: number; until: number };
}

/** Reconciles ChaosDemos; keeps a session for each whose run is on. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #desk: AdmissionDesk;
  readonly #entries = new Map<string, Entry>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#desk = new AdmissionDesk(options.client, options.logger);
  }

  /** Runs that have a session open. */
  get activeRuns(): number {
    return [...this.#entries.values()].filter(({ session }) => session).length;
  }

  /** As `Reconcile` of the controller. */
  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const cached = this.#options.read(key);
    if (!cached) {
      await this.#drop(key);
      return {};
    }
    const entry = await this.#entryOf(key, cached);
    const demo = newer(entry.latest, cached);
    entry.latest = demo;
    const { name, namespace } = demo.metadata;
    const logger = childLogger(this.#options.logger, { namespace, name });
    try {
      return await this.#advance(key, entry, demo, logger, signal);
    } catch (error) {
      if (isNotFound(error)) return {};
      if (!isConflict(error)) throw error;
      // Somebody wrote first (a person with an annotation, say): decide on what is there now.
      entry.latest = await this.#readAgain(demo, signal);
      return { requeueAfterMs: 0 };
    }
  }

  async #entryOf(key: string, { metadata }: ChaosDemo): Promise<Entry> {
    const known = this.#entries.get(key);
    if (known?.uid === metadata.uid) return known;
    await this.#drop(key);
    const entry: Entry = { uid: metadata.uid };
    this.#entries.set(key, entry);
    return entry;
  }

  async #advance(
    key: string,
    entry: Entry,
    demo: ChaosDemo,
    logger: PinoLogger,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { session } = entry;
    // Opened for a spec that was changed before its run began: another may be about other pods.
    if (session && !runIsOn(demo.status) && session.generation !== demo.metadata.generation) {
      await this.#closeSession(entry);
    }
    let decision = this.#decide(entry, demo);
    if (decision.awaitsRollout && (await this.#lookForRollout(entry, demo, signal))) {
      decision = this.#decide(entry, demo);
    }
    if (
      decision.session &&
      !entry.session &&
      (await this.#lookForSession(key, entry, demo, decision, logger, signal))
    ) {
      decision = this.#decide(entry, demo);
    }
    const stored = await this.#store(entry, demo, decision, logger, signal);
    if (!stored) {
      if (!decision.finalizer) await this.#withoutFinalizer(entry, signal);
      return { requeueAfterMs: REJECTED_RETRY_MS };
    }

    entry.session?.perform(decision.effects);
    entry.session?.converge(decision.activities);
    if (!decision.session)
      await (demo.metadata.deletionTimestamp ? this.#leave(entry) : this.#closeSession(entry));
    if (!decision.finalizer) await this.#withoutFinalizer(entry, signal);
    return decision.wakeAt === undefined ? {} : { requeueAfterMs: Math.max(0, decision.wakeAt - Date.now()) };
  }

  #decide(entry: Entry, demo: ChaosDemo): Decision {
    const { annotations = {}, deletionTimestamp, generation, uid } = demo.metadata;
    const steering: Parameters<typeof decide>[0]['annotations'] = {};
    for (const name of ['requestedAt', 'advance', 'abort'] as const) {
      const value = annotations[ANNOTATIONS[name]];
      if (value !== undefined) steering[name] = value;
    }
    return decide(
      {
        uid,
        generation,
        deleting: deletionTimestamp !== undefined,
        spec: demo.spec,
        status: demo.status ?? {},
        annotations: steering,
      },
      this.#observed(entry, demo),
      Date.now(),
      rateLimiterDefinition,
    );
  }

  #observed(entry: Entry, demo: ChaosDemo): Observed {
    const { finding, rollout, session } = entry;
    const observed = session?.observed ?? nothingObserved(Date.now());
    if (rollout?.podTemplate !== undefined && rollout.generation === demo.metadata.generation) {
      observed.podTemplate = rollout.podTemplate;
    }
    if (this.#options.killSwitchIsOn()) {
      const message = 'The kill switch of the operator is on: nothing starts, and what runs is stopped';
      return { ...observed, admission: { state: 'refused', reason: 'KillSwitch', message } };
    }
    if (session) return observed;
    const current = finding && finding.generation === demo.metadata.generation;
    return current ? { ...observed, admission: finding.admission } : observed;
  }

  /** Looks of what template the pods are, every few seconds at most; tells whether it has looked. */
  async #lookForRollout(entry: Entry, demo: ChaosDemo, signal: AbortSignal): Promise<boolean> {
    const { generation } = demo.metadata;
    const { rollout } = entry;
    if (rollout && rollout.generation === generation && Date.now() < rollout.until) return false;
    const podTemplate = await findSettledTemplate(this.#options.client, demo, signal);
    entry.rollout = { podTemplate, generation, until: Date.now() + FINDING_MS };
    return true;
  }

  /** Looks whether a session may be opened, and opens it; tells whether there is anything new to decide on. */
  async #lookForSession(
    key: string,
    entry: Entry,
    demo: ChaosDemo,
    decision: Decision,
    logger: PinoLogger,
    signal: AbortSignal,
  ): Promise<boolean> {
    // What another process has left on is released also where nothing may start.
    const mustUndo = runIsOn(demo.status) || decision.finalizer;
    if (this.#options.killSwitchIsOn() && !mustUndo) return false;
    const { generation } = demo.metadata;
    const { finding } = entry;
    if (finding && finding.generation === generation && Date.now() < finding.until) return false;
    const { client, mayAct, enqueue } = this.#options;
    const onChange = (): void => enqueue(key);
    const found = await this.#desk.look(demo, signal);
    if (found.granted) {
      delete entry.finding;
      const { lease, target } = found;
      entry.session = new Session({ client, logger, demo, target, lease, mayAct, onChange });
      return true;
    }
    const { admission } = found;
    entry.finding = { admission, generation, until: Date.now() + FINDING_MS };
    const target = mustUndo && admission.state === 'refused' && (await findReleasable(client, demo, signal));
    if (target) entry.session = new Session({ client, logger, demo, target, admission, mayAct, onChange });
    return true;
  }

  /** Stores what was decided; false where it was refused and something else was stored in its place. */
  async #store(
    entry: Entry,
    demo: ChaosDemo,
    decision: Decision,
    logger: PinoLogger,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { finalizers = [] } = demo.metadata;
    if (decision.finalizer && !finalizers.includes(FINALIZER) && !demo.metadata.deletionTimestamp) {
      entry.latest = withType(await addFinalizer(this.#write(demo, signal), FINALIZER));
    }
    if (!isTransition(demo.status, decision.status)) return true;
    entry.session?.announce(demo.status, decision.status);
    const object = entry.latest ?? demo;
    try {
      await this.#apply(entry, object, decision.status, signal);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      logger.error(
        { err: error },
        'the API server refused the status; releasing the fault and ending the run',
      );
      await entry.session?.release(AbortSignal.any([signal, AbortSignal.timeout(RELEASE_WITHIN_MS)]));
      const { status: before = {}, metadata } = demo;
      const rejected = rejectedStatus(before, decision.status, metadata.generation, Date.now());
      await this.#closeSession(entry);
      if (isTransition(before, rejected)) {
        await this.#apply(entry, object, rejected, signal);
        tell(this.#options.audience, logger, object, before, rejected);
      }
      return false;
    }
    tell(this.#options.audience, logger, object, demo.status, decision.status);
    return true;
  }

  async #apply(entry: Entry, object: ChaosDemo, status: ChaosDemoStatus, signal: AbortSignal): Promise<void> {
    const { metrics } = this.#options.audience;
    try {
      entry.latest = withType(await applyStatus(this.#write(object, signal), status));
      metrics.statusWritten('stored');
    } catch (error) {
      metrics.statusWritten(isConflict(error) ? 'conflict' : isRefusal(error) ? 'rejected' : 'failed');
      throw error;
    }
  }

  async #withoutFinalizer(entry: Entry, signal: AbortSignal): Promise<void> {
    const { latest } = entry;
    if (!latest?.metadata.finalizers?.includes(FINALIZER)) return;
    const left = await removeFinalizer(this.#write(latest, signal), FINALIZER);
    if (left) entry.latest = withType(left);
  }

  #write(object: ChaosDemo, signal: AbortSignal): GuardedWrite<ChaosDemo> {
    const { client } = this.#options;
    return { client, type: CHAOS_DEMO_TYPE, object: withType(object), fieldManager: FIELD_MANAGER, signal };
  }

  async #readAgain({ metadata }: ChaosDemo, signal: AbortSignal): Promise<ChaosDemo> {
    const { name, namespace } = metadata;
    const path = resourcePath(CHAOS_DEMO_TYPE, { namespace, name });
    return withType(await this.#options.client.request<ChaosDemo>({ method: 'GET', path, signal }));
  }

  /** @param keepLease the one on Redis may be that of a process that leads now */
  async #closeSession(entry: Entry, keepLease = false): Promise<void> {
    const { session } = entry;
    delete entry.session;
    delete entry.finding;
    await session?.close(keepLease);
    if (!session) await this.#desk.forget(entry.uid, keepLease);
  }

  /** Closes the session of an object that goes: what a run in its midst has made goes too. */
  async #leave(entry: Entry): Promise<void> {
    const { metadata, status } = entry.latest ?? {};
    // With the finalizer on, `decide` has seen to it.
    if (runIsOn(status) && !metadata?.finalizers?.includes(FINALIZER)) {
      const keys = (status?.scenarios ?? []).flatMap(({ fault }) => (fault ? [fault.key] : []));
      await entry.session?.release(AbortSignal.timeout(RELEASE_WITHIN_MS), keys);
    }
    await this.#closeSession(entry);
  }

  async #drop(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    await this.#leave(entry);
  }

  /**
   * Closes every session; `release` ends pauses of ours first, as a shutdown of a
   * leader does. A process that leads no more leaves them to their own end.
   */
  async close(options: { release: boolean; deadlineMs: number }): Promise<void> {
    const signal = AbortSignal.timeout(options.deadlineMs);
    await Promise.all(
      [...this.#entries.values()].map(async (entry) => {
        const mayPause = entry.latest?.status?.scenarios?.some(({ fault }) => fault && !fault.endedAt);
        if (options.release && mayPause) await entry.session?.release(signal);
        await this.#closeSession(entry, !options.release);
      }),
    );
    this.#entries.clear();
  }
}

/** Whether the API server will never take this status: against the schema, or too large. */
function isRefusal(error: unknown): boolean {
  return isInvalid(error) || (error instanceof ApiError && error.status === 413);
}

/** Items of a list come without them; a guarded write needs them. */
function withType(object: ChaosDemo): ChaosDemo {
  return { ...object, apiVersion: API_VERSION, kind: KIND };
}

/**
 * The newer of two versions of one object. Resource versions compare as whole
 * numbers (Kubernetes guarantees it since 1.35, KEP-5504; etcd always had it so).
 */
function newer(ours: ChaosDemo | undefined, cached: ChaosDemo): ChaosDemo {
  if (!ours) return cached;
  return BigInt(ours.metadata.resourceVersion) > BigInt(cached.metadata.resourceVersion) ? ours : cached;
}
