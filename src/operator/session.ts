/**
 * What the operator holds open for one run: the driver of the subject, the lease
 * on its Redis, and the repeated look whether the namespace still takes part.
 * It performs effects and carries on activities; it decides nothing.
 */
import type { ChaosDemo, ChaosDemoStatus } from '../api/index.ts';
import { INJECT_WITHIN_MS } from '../demo/chaos-stage.ts';
import { mayBeActive } from '../demo/context.ts';
import type { Activity, Effect } from '../demo/effects.ts';
import type { Admission, Observed, Target } from '../demo/observed.ts';
import { announcement } from '../demo/observed.ts';
import type { SubjectDriver } from '../demo/subject.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../kube/kube-types.ts';
import { sleep } from '../kube/wait.ts';
import { createRateLimiterDriver, rateLimiterDefinition } from '../subjects/ratelimiter/index.ts';
import type { ResolvedTarget } from './discovery.ts';
import { findAddresses, lookAgain } from './discovery.ts';
import { templatesOf } from './pod-template.ts';
import { admitRedis } from './redis-admission.ts';
import { type RedisLease, redisLeaseName } from './redis-lease.ts';

/** How often it is looked again whether the namespace still takes part and the pods are still there, in milliseconds. */
const RECHECK_MS = 5000;

/** When an effect is tried again that this process might not perform, in milliseconds. */
const LEAD_AGAIN_MS = 1000;

export interface SessionOptions {
  client: KubeClient;
  logger: Logger;
  demo: ChaosDemo;
  target: ResolvedTarget;
  /** On the Redis; without it nothing is injected. */
  lease?: RedisLease;
  /** What is known so far; default granted. It is looked at again every few seconds. */
  admission?: Admission;
  /** Whether this process may still act on the cluster; asked right before every effect. */
  mayAct: () => boolean;
  /** Called whenever something was seen that may change what is to be done. */
  onChange: () => void;
}

/** One run's connections and what they have shown. */
export class Session {
  readonly #options: SessionOptions;
  readonly #driver: SubjectDriver;
  readonly #target: Target;
  readonly #announced = new Set<string>();
  readonly #begun = new Set<string>();
  readonly #performed = new Map<string, Promise<void>>();
  readonly #lifetime = new AbortController();
  readonly #rechecking: Promise<void>;
  #admission: Admission;
  #awaitsLead = false;
  #gone: readonly string[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
    const { admission = { state: 'granted' }, demo, logger, onChange, target } = options;
    this.#admission = admission;
    const now = Date.now();
    this.#driver = createRateLimiterDriver({
      target: { nodes: target.nodes, redis: target.redis },
      spec: demo.spec,
      mayBePaused: (demo.status?.scenarios ?? []).some(
        ({ fault, type }) => fault && type === 'CounterDrift' && mayBeActive(fault, now),
      ),
      obstacleTo: (effect) => this.#obstacleTo(effect),
      // The driver logs with pino's signature, of which the runtime's Logger is a part.
      log: logger as never,
      onChange,
    });
    const podTemplate = templatesOf(target.nodes.map(({ template }) => template));
    this.#target = {
      pods: target.nodes.map(({ name, uid, imageID }) => ({ name, uid, imageID })),
      ...(podTemplate === undefined ? {} : { podTemplate }),
      store: target.store,
    };
    this.#rechecking = this.#recheck();
  }

  /** Of the spec that the session was opened for. */
  get generation(): number {
    return this.#options.demo.metadata.generation;
  }

  /** All that was seen so far; the reports in it are shared with the driver. */
  get observed(): Observed {
    return {
      ...this.#driver.observed,
      admission: this.#admission,
      target: this.#target,
      gone: this.#gone,
      announced: this.#announced,
      begun: this.#begun,
    };
  }

  /** Remembers the faults that this process is about to announce by storing `status`. */
  announce(before: ChaosDemoStatus | undefined, status: ChaosDemoStatus): void {
    for (const { fault } of status.scenarios ?? []) {
      if (!fault) continue;
      const known = before?.scenarios?.some((entry) => entry.fault?.id === fault.id);
      if (!known) this.#announced.add(announcement(fault));
    }
  }

  /** Starts every effect that was not started yet; their findings come through `onChange`. */
  perform(effects: Effect[]): void {
    for (const effect of effects) {
      if (this.#performed.has(effect.id)) continue;
      const obstacle = this.#obstacleTo(effect);
      if (obstacle) this.#stepBack(effect, obstacle);
      else this.#performed.set(effect.id, this.#performOne(effect));
    }
  }

  /** What must not be done now: a fault is missed, all else is asked for again when this process leads again. */
  #stepBack(effect: Effect, obstacle: string): void {
    const { logger, onChange } = this.#options;
    logger.warn({ effect: effect.kind, id: effect.id }, `not performed: ${obstacle}`);
    if (effect.kind === 'Inject') {
      this.#driver.observed.faults[effect.id] = { missed: true, message: obstacle, evidence: [] };
      onChange();
    } else if (!this.#awaitsLead) {
      this.#awaitsLead = true;
      void sleep(LEAD_AGAIN_MS, this.#lifetime.signal).then(
        () => {
          this.#awaitsLead = false;
          onChange();
        },
        () => undefined,
      );
    }
  }

  async #performOne(effect: Effect): Promise<void> {
    const { logger, onChange } = this.#options;
    if (effect.kind === 'Inject') this.#begun.add(effect.id);
    try {
      if (effect.kind === 'Prepare' && !(await this.#mayPrepare(effect))) {
        this.#performed.delete(effect.id);
        onChange();
        return;
      }
      await this.#driver.perform(effect, this.#lifetime.signal);
    } catch (error) {
      if (this.#lifetime.signal.aborted) return;
      logger.error({ err: error, effect: effect.kind, id: effect.id }, 'an effect failed unexpectedly');
    }
  }

  /**
   * A process that was frozen must not act on what it decided before; so this asks the clocks and the leases
   * now. Asked before an effect, and by the driver once more right before a fault.
   */
  #obstacleTo(effect: Effect): string | undefined {
    if (!this.#options.mayAct()) return 'this operator does not lead any more';
    if (effect.kind !== 'Inject') return undefined;
    // Connecting for a large burst takes a while, which is all right once it has begun.
    const begun = this.#begun.has(effect.id);
    if (!begun && Date.now() > effect.plannedAt + INJECT_WITHIN_MS) return 'its moment has passed';
    if (!this.#options.lease?.isHeld()) return 'the lease on Redis was lost';
    return undefined;
  }

  /**
   * Whether a pause may still be prepared: since the run began (and a person may have made it wait) others may
   * have come to this Redis, or it may have been restarted, and then the lease is not on it any more.
   */
  async #mayPrepare({ fault, scenario }: Extract<Effect, { kind: 'Prepare' }>): Promise<boolean> {
    const { demo, lease, target } = this.#options;
    const type = demo.spec.scenarios.find(({ name }) => name === scenario)?.type;
    if (type === undefined || !rateLimiterDefinition.releasable(type)) return true;
    const { client } = this.#options;
    // Pods that have joined since are no strangers.
    const addresses = await findAddresses(client, demo, this.#lifetime.signal);
    const now = { ...target, addresses: [...target.addresses, ...addresses] };
    const { admission, runId } = await admitRedis(now, {
      allowOtherClients: demo.spec.subject.rateLimiter?.redis.allowOtherClients ?? false,
      connected: true,
      signal: this.#lifetime.signal,
    });
    if (admission.state === 'refused') {
      // What else may be wrong with it shows when the key is set up.
      if (admission.reason !== 'SharedRedis' && admission.reason !== 'RedisNotEligible') return true;
      this.#admission = admission;
      return false;
    }
    if (runId === undefined || lease?.name === redisLeaseName(runId)) return true;
    this.#driver.observed.prepareFailures[fault] =
      `${target.store} was restarted since the run began, and another ChaosDemo may be using it by now: run again`;
    return false;
  }

  /** Starts what is missing of these activities and stops what is not among them. */
  converge(activities: Activity[]): void {
    this.#driver.converge(activities);
  }

  /**
   * Ends a pause of ours now and removes `keys`, as a shutdown does and the end of
   * the object; resolves when a write was accepted, or `signal` has aborted.
   */
  async release(signal: AbortSignal, keys: string[] = []): Promise<void> {
    const effect: Effect = { kind: 'Restore', id: 'release', keys, release: true };
    try {
      await this.#driver.perform(effect, AbortSignal.any([signal, this.#lifetime.signal]));
      const outcome = this.#driver.observed.restored[effect.id];
      this.#options.logger.info({ ok: outcome?.ok }, `released: ${outcome?.message ?? 'no finding'}`);
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'could not prove the release; a pause ends by itself');
    }
  }

  /** Ends everything of this session and gives the lease on Redis back, unless it is to be kept. A fault stays as it is. */
  async close(keepLease: boolean): Promise<void> {
    this.#lifetime.abort(new Error('the session was closed'));
    await this.#driver.close();
    await Promise.allSettled([this.#rechecking, ...this.#performed.values()]);
    const { lease } = this.#options;
    await (keepLease ? lease?.leave() : lease?.release());
  }

  /** Looks every few seconds whether namespace and pods still take part; a failed look changes nothing. */
  async #recheck(): Promise<void> {
    const { client, demo, logger, onChange, target } = this.#options;
    const { signal } = this.#lifetime;
    while (!signal.aborted) {
      try {
        await sleep(RECHECK_MS, signal);
        const { admission, gone } = await lookAgain(client, demo.metadata.namespace, target.nodes, signal);
        const changed =
          admission.state !== this.#admission.state ||
          (gone !== undefined && gone.length !== this.#gone.length);
        // Without a lease this session is there to undo things only, whatever has been mended since.
        if (this.#options.lease) this.#admission = admission;
        this.#gone = gone ?? this.#gone;
        if (changed) onChange();
      } catch (error) {
        if (!signal.aborted)
          logger.warn({ err: error }, 'could not look whether the namespace still takes part');
      }
    }
  }
}
