/**
 * A failover: a Sentinel makes a replica the primary, and some ten seconds later a replica of the former primary. Until
 * then both take writes, and those to the former one are lost. Nothing undoes it: the roles stay swapped.
 */
import { randomBytes } from 'node:crypto';
import { messageOf } from '../../../../api/index.ts';
import type { FaultReport, OrphanFinding } from '../../../../demo/observed.ts';
import type { Permit } from '../../../../demo/subject.ts';
import { pauseFor } from '../../../waiting.ts';
import { findNewPrimary } from '../../admission/new-primary.ts';
import { redisName, type SentinelsTarget } from '../../client/redis-target.ts';
import { agreedWatch, beginFailover, otherPrimary, readWatches, type Watch } from '../../client/sentinel.ts';
import { proveWrite } from '../../client/write-probe.ts';
import type { FaultListener, FaultMoment, FaultTools } from '../fault.ts';
import { FencedFault, IN_CHARGE_MS } from '../fenced-fault.ts';
import { PauseNotSentError } from '../pause.ts';
import { FormerPrimary, type NewPrimary, provenBy } from './former-primary.ts';

/** Interval between two looks for the new primary, and the longest wait for a write of it; milliseconds. */
const EVERY_MS = 100;
const WRITE_MS = 1000;

export class Failover extends FencedFault {
  readonly #tools: FaultTools;
  readonly #sentinels: SentinelsTarget;
  readonly #claim = randomBytes(6).toString('base64url');
  #active:
    | { readonly report: FaultReport; readonly until: number; readonly former: FormerPrimary }
    | undefined;

  /** @throws Error if no Sentinels are known */
  constructor(tools: FaultTools) {
    super(tools);
    const { sentinels } = tools.target;
    if (!sentinels) throw new Error('rateLimiter.redis.sentinel is missing');
    this.#tools = tools;
    this.#sentinels = sentinels;
  }

  get isActive(): boolean {
    return this.#active !== undefined;
  }

  override async prepare(ms: number, signal: AbortSignal): Promise<{ readonly marker: string }> {
    await super.prepare(ms, signal);
    const watch = agreedWatch(await readWatches(this.#sentinels, signal));
    if (watch && watch.runId === this.runIdBefore) return { marker: markerOf(watch, this.#claim) };
    throw new Error(`the Sentinels do not agree on the primary ${this.#sentinels.masterName}: run again`);
  }

  /** The check of the store, before this, includes replicas and Sentinels. */
  protected async check(): Promise<void> {}

  async inject(
    { plannedAt, until }: FaultMoment,
    _: FaultListener,
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const { findStore, lifetime, now, redis, target } = this.#tools;
    const { masterName, servers } = this.#sentinels;
    const [sentinel] = servers;
    const { runIdBefore } = this;
    if (!sentinel || runIdBefore === undefined) throw new PauseNotSentError('it was not prepared');
    // Since the preparation, a replica may have fallen behind, or a Sentinel joined.
    await this.requireFree(signal);
    await pauseFor(plannedAt - now(), signal);
    // A successor that finds this claim sends no failover, so at most one is ever sent.
    await redis.first.claim(this.#claim, () => this.requirePermit(permit, signal));
    const former = new FormerPrimary(this.#tools, runIdBefore);
    const failover = { sentinels: this.#sentinels, former: target.redis[0], findStore };
    const sent: { at?: number } = {};
    const onSend = (): void => {
      this.requirePermit(permit, signal);
      sent.at = now();
      redis.expectFailover(() => findNewPrimary(failover, lifetime));
    };
    let answer = `${redisName(sentinel)} accepted SENTINEL FAILOVER ${masterName}`;
    try {
      // An abort does not end it: then it would be unknown whether it was sent.
      await beginFailover(sentinel, masterName, lifetime, onSend);
    } catch (error) {
      if (sent.at === undefined) throw error;
      if (error instanceof Error && error.name === 'ReplyError') {
        redis.expectNoFailover();
        throw new PauseNotSentError(`${redisName(sentinel)} rejected SENTINEL FAILOVER: ${error.message}`);
      }
      answer = `SENTINEL FAILOVER ${masterName} was sent to ${redisName(sentinel)}, and not answered: ${messageOf(error)}`;
    }
    const startedAt = sent.at ?? now();
    const seen = await otherPrimary(sentinel, masterName, runIdBefore, until - startedAt, signal);
    if (!seen) {
      const message = `${answer}. It reported no other primary by the end of storeOutage.fault.duration`;
      return { startedAt, endedAt: now(), proof: 'Inconclusive', message, evidence: [message] };
    }
    const message = `${redisName(sentinel)} reported ${seen.address} as the primary ${Math.round(now() - startedAt)} ms after SENTINEL FAILOVER`;
    const report = { startedAt, proof: 'Confirmed', message, evidence: [answer, message] } as const;
    this.#active = { report, until, former };
    return report;
  }

  /** Waits until the former primary is a replica and the new one takes writes; until the announced end at most. */
  async awaitEnd(_: unknown, signal: AbortSignal): Promise<FaultReport> {
    if (!this.#active) throw new Error('no failover has begun');
    const { former, report, until } = this.#active;
    const { startedAt = 0 } = report;
    const [replicaAt, primary] = await Promise.all([
      former.replicaAt(until, signal),
      this.#newPrimary(until, signal),
    ]);
    this.#active = undefined;
    const { name, takenAt } = former;
    const { evidence, ...proven } = provenBy(startedAt, { name, takenAt, replicaAt }, primary);
    return { ...report, ...proven, endedAt: this.#tools.now(), evidence: [...report.evidence, ...evidence] };
  }

  /** When it took a write, or what is missing at `until`. @throws the reason of `signal` */
  async #newPrimary(until: number, signal: AbortSignal): Promise<NewPrimary> {
    const { now, redis } = this.#tools;
    let missing = '';
    while (now() < until) {
      try {
        await redis.follow();
        const takenAt = await proveWrite(redis, WRITE_MS, now, signal);
        if (takenAt !== undefined) return { name: redis.name, takenAt };
        missing = `${redis.name} took no write`;
      } catch (error) {
        signal.throwIfAborted();
        missing = messageOf(error);
      }
      await pauseFor(EVERY_MS, signal);
    }
    return { missing };
  }

  /**
   * NotInjected only if the primary is the same, no failover was since or is in progress, and this one was not claimed:
   * once this process is in charge, no other can claim it.
   */
  override async inquire(marker: string): Promise<OrphanFinding> {
    const { lifetime, redis } = this.#tools;
    const [, , claim] = marker.split('/', 3);
    await redis.takeCharge(IN_CHARGE_MS);
    if ((await redis.first.claimed()) === claim) return 'Unknown';
    const { runId } = await redis.facts();
    const watches = await readWatches(this.#sentinels, lifetime);
    const watch = agreedWatch(watches);
    const isSame = watch && watch.runId === runId && markerOf(watch, claim) === marker;
    return isSame && watches.every(({ flags }) => flags === 'master') ? 'NotInjected' : 'Unknown';
  }
}

/** At most 64 characters, as many as the journal takes. */
function markerOf({ epoch, runId }: Watch, claim = ''): string {
  return `${runId}/${epoch.toString(36)}/${claim}`;
}
