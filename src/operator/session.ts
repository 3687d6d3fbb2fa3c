/**
 * What the operator holds open for one run: the driver of the subject, the lease
 * on its Redis, and the repeated look whether the namespace still takes part.
 * It performs effects and carries on activities; it decides nothing.
 */
import type { ChaosDemo, ChaosDemoStatus } from '../api/index.ts';
import { INJECT_WITHIN_MS } from '../demo/chaos-stage.ts';
import type { Activity, Effect } from '../demo/effects.ts';
import type { Admission, Observed, Target } from '../demo/observed.ts';
import { announcement } from '../demo/observed.ts';
import type { SubjectDriver } from '../demo/subject.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../kube/kube-types.ts';
import { sleep } from '../kube/wait.ts';
import { createRateLimiterDriver } from '../subjects/ratelimiter/index.ts';
import type { ResolvedTarget } from './discovery.ts';
import { lookAgain } from './discovery.ts';
import { templatesOf } from './pod-template.ts';
import type { RedisLease } from './redis-lease.ts';

/** How often it is looked again whether the namespace still takes part and the pods are still there, in milliseconds. */
const RECHECK_MS = 5000;

export interface SessionOptions {
  client: KubeClient;
  logger: Logger;
  demo: ChaosDemo;
  target: ResolvedTarget;
  lease: RedisLease;
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
  #admission: Admission = { state: 'granted' };
  #gone: readonly string[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
    const { demo, logger, onChange, target } = options;
    this.#driver = createRateLimiterDriver({
      target: { nodes: target.nodes, redis: target.redis },
      spec: demo.spec,
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
      if (!this.#performed.has(effect.id)) this.#performed.set(effect.id, this.#performOne(effect));
    }
  }

  async #performOne(effect: Effect): Promise<void> {
    const { logger, onChange } = this.#options;
    const obstacle = this.#obstacleTo(effect);
    if (obstacle) {
      logger.warn({ effect: effect.kind, id: effect.id }, `not performed: ${obstacle}`);
      if (effect.kind === 'Inject') {
        this.#driver.observed.faults[effect.id] = { missed: true, message: obstacle, evidence: [] };
      } else {
        // Not done is not forgotten: it may be asked for again when this process leads again.
        this.#performed.delete(effect.id);
      }
      onChange();
      return;
    }
    if (effect.kind === 'Inject') this.#begun.add(effect.id);
    try {
      await this.#driver.perform(effect, this.#lifetime.signal);
    } catch (error) {
      if (this.#lifetime.signal.aborted) return;
      logger.error({ err: error, effect: effect.kind, id: effect.id }, 'an effect failed unexpectedly');
    }
  }

  /** A process that was frozen must not act on what it decided before; so this asks the clocks and the leases now. */
  #obstacleTo(effect: Effect): string | undefined {
    if (!this.#options.mayAct()) return 'this operator does not lead any more';
    if (effect.kind !== 'Inject') return undefined;
    if (Date.now() > effect.plannedAt + INJECT_WITHIN_MS) return 'its moment has passed';
    if (!this.#options.lease.isHeld()) return 'the lease on Redis was lost';
    return undefined;
  }

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

  /** Ends everything of this session and gives the lease on Redis back. A fault stays as it is. */
  async close(): Promise<void> {
    this.#lifetime.abort(new Error('the session was closed'));
    await this.#driver.close();
    await Promise.allSettled([this.#rechecking, ...this.#performed.values()]);
    await this.#options.lease.release();
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
        this.#admission = admission;
        this.#gone = gone ?? this.#gone;
        if (changed) onChange();
      } catch (error) {
        if (!signal.aborted)
          logger.warn({ err: error }, 'could not look whether the namespace still takes part');
      }
    }
  }
}
