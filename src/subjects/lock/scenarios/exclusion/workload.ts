/** Contenders for a few locks before, during and after a fault of the store. */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { counted } from '../../../../api/index.ts';
import type { PodClient } from '../../../http/pod-client.ts';
import { type Ready, type Stage, USABLE_MS, WatchedWorkload } from '../../../scenarios/workload.ts';
import type { PodsNow } from '../../../targets/pods-now.ts';
import type { LockSeen } from '../../checkers/holds.ts';
import { requireFree, type Toolkit } from '../../controls/control-lock.ts';
import { type Contender, contenderOf, type Held } from '../../workloads/contender.ts';
import type { ExclusionPlan } from './plan.ts';

export class ExclusionWorkload extends WatchedWorkload<LockSeen, ExclusionPlan, Toolkit> {
  protected override readonly graceMs = this.plan.callerTimeoutMs;

  /** Every pod grants and releases each lock once: it must work before a fault. */
  async prepare(fixture: string, stage: Stage<LockSeen>, signal: AbortSignal): Promise<Ready> {
    await stage.admit(this.plan.storyMs, signal);
    this.recording = stage.record();
    const keys = this.plan.keysOf(fixture);
    await Promise.all(
      keys.map(async (key) => {
        const contenders = this.toolkit.podClients.map((client) => this.#contender(client, key));
        for (const i of contenders.keys()) await (await requireFree(contenders, i, signal)).release();
      }),
    );
    return {
      usableUntil: Math.floor(this.recording.history.setup.preparedAt + USABLE_MS),
      message: `${counted(keys.length, 'lock')} ${fixture}-...: granted and released by ${counted(this.toolkit.podClients.length, 'pod')}`,
    };
  }

  #contender(client: PodClient, key: string): Contender {
    const lifetime = AbortSignal.any([this.toolkit.lifetime, this.over.signal]);
    const { callerTimeoutMs, ttlMs } = this.plan;
    const of = { client, key, callerTimeoutMs, ttlMs, history: this.recorded.history, lifetime };
    return contenderOf({ ...this.toolkit, ...of });
  }

  /** Contenders give back what they hold in the end, as far as that is possible. */
  protected async send(stop: AbortSignal): Promise<void> {
    const { podClients } = this.toolkit;
    const keys = this.plan.keysOf(this.recorded.history.setup.fixture);
    const perKey = this.plan.contenders(podClients.length);
    await Promise.all(
      Array.from({ length: keys.length * perKey }, async (_, i) => {
        const [client, key] = [podClients[i % podClients.length], keys[Math.floor(i / perKey)]];
        if (client && key) await this.#contend(this.#contender(client, key), stop);
      }),
    );
  }

  /** Every slot has to be granted again, by every pod. */
  protected async observeReturn({ replaced }: PodsNow, _: number, signal: AbortSignal): Promise<number> {
    const { now, podClients } = this.toolkit;
    const { history } = this.recorded;
    history.append({ kind: 'return', at: now() });
    const deadline = performance.now() + this.plan.returnsWithinMs;
    const staying = podClients.filter(({ pod }) => !replaced.includes(pod.name));
    const keys = this.plan.keysOf(history.setup.fixture);
    await Promise.all(keys.map(async (key) => await this.#fill(key, staying, deadline, signal)));
    return now();
  }

  async #contend(contender: Contender, stop: AbortSignal): Promise<void> {
    const pause = async (ms: number): Promise<void> => await pauseFor(ms, stop).catch(() => undefined);
    const wait = async (): Promise<void> => await pause(this.plan.waitMs(Math.random));
    for (await wait(); !stop.aborted; await wait()) {
      const { held } = await contender.acquire();
      if (held) await pause(this.plan.holdMs(Math.random));
      await held?.release();
    }
    await contender.idle();
  }

  /** All slots of a key at once, and one more than there are, in as many rounds as every pod needs to grant one. */
  async #fill(key: string, clients: readonly PodClient[], by: number, signal: AbortSignal): Promise<void> {
    const { slots } = this.plan.part;
    const contenders = clients.map((client) => this.#contender(client, key));
    const at = (i: number): Contender | undefined => contenders[i % contenders.length];
    for (let first = 0; first < clients.length; first += slots) {
      const all: Held[] = [];
      for (let slot = first; slot < first + slots; slot += 1) {
        const { held } = (await at(slot)?.acquireBy(by, signal)) ?? {};
        if (held) all.push(held);
      }
      const isFull = all.length === slots;
      const { held: more } = (isFull && (await at(first + slots)?.acquire())) || {};
      await Promise.all([...all, more].map(async (held) => await held?.release()));
      if (!isFull) return;
    }
  }
}
