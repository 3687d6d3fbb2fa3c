/**
 * What the faults of a store have in common: only the process in charge can inject them, into the server that was
 * prepared, and a successor learns whether a process that is gone did.
 */
import { compareCalls, markerOf, PAUSE, type RedisInfo } from '../client/redis-info.ts';
import {
  type FaultMoment,
  type FaultReport,
  type FaultTools,
  NotInjectedError,
  type OrphanFinding,
  type Permit,
  type RecordEvent,
  StoreRefusedError,
} from './fault.ts';

/** How long a successor that only inquires stays in charge of Redis; milliseconds. */
export const IN_CHARGE_MS = 60_000;

/** One injection, as {@link FencedFault.inject} is called for it. */
export interface Injection extends FaultMoment {
  readonly record: RecordEvent;
  readonly permit: Permit;
  readonly signal: AbortSignal;
}

/** One attempt of a fault, as its caller sees it. */
export type StoreFault = Pick<
  FencedFault,
  'awaitEnd' | 'gone' | 'inject' | 'inquire' | 'isActive' | 'prepare' | 'prepared'
>;

/**
 * One attempt of a fault. It ends automatically, even if every process of the operator dies.
 * @typeParam Active what is kept of it while it is active
 */
export abstract class FencedFault<Active = unknown> {
  protected readonly tools: FaultTools;
  /** Set once it was injected, until its end was seen. */
  protected active: Active | undefined;
  /** The command that injects it, as Redis counts it. */
  protected readonly command: string = PAUSE;
  #marked: RedisInfo | undefined;

  constructor(tools: FaultTools) {
    this.tools = tools;
  }

  /** Whether it was injected and its end has not been observed. */
  get isActive(): boolean {
    return this.active !== undefined;
  }

  /** Checks before the fault that it can be injected. @throws an error whose message states what to do */
  protected abstract check(): Promise<void>;

  /** Injects it into a store that was checked a moment ago. @throws as {@link inject} */
  protected abstract begin(injection: Injection): Promise<FaultReport>;

  /** Waits for the end of the active fault and completes its report. @throws the reason of `signal` */
  async awaitEnd(signal: AbortSignal): Promise<FaultReport> {
    if (this.active === undefined) throw new Error('no fault is active');
    return await this.end(this.active, signal);
  }

  /** Waits for the end of the active fault, and completes its report. @throws the reason of `signal` */
  protected abstract end(active: Active, signal: AbortSignal): Promise<FaultReport>;

  /** The run_id of the Redis that was prepared. */
  protected get runIdBefore(): string | undefined {
    return this.#marked?.runId;
  }

  /** Whether Redis was restarted since it was prepared. @throws RedisClientError */
  protected async hasRestarted(): Promise<boolean> {
    const { runId } = await this.tools.redis.facts();
    return this.runIdBefore !== undefined && runId !== this.runIdBefore;
  }

  /**
   * Waits until nothing is left of a fault that lingers after its end; left out: it does not.
   * @returns when that was seen, in milliseconds since the epoch
   * @throws the reason of `signal`
   */
  gone?(signal: AbortSignal): Promise<number>;

  /**
   * Checks the store, and takes charge of it. Since the run began, other clients may have connected to this Redis, or it
   * may have been restarted, so that the lease is on another server.
   * @param ms how long this attempt may disturb it, in milliseconds
   * @returns the marker that shows a successor whether the fault was injected
   * @throws StoreRefusedError if it must not be disturbed; an error whose message states what to do
   */
  async prepare(ms: number, signal: AbortSignal): Promise<{ readonly marker: string }> {
    const { redis } = this.tools;
    await this.#requireFree(signal);
    // First: Redis must not carry out a pause that an earlier process has sent.
    await redis.takeCharge(ms + IN_CHARGE_MS);
    // A missing right is reported now, and not when the fault is due.
    await redis.warmUp();
    await this.check();
    this.#marked = await redis.facts(this.command);
    return { marker: markerOf(this.#marked) };
  }

  /**
   * Injects the fault, once, and proves it. Consults `permit` right before the command. Since the preparation, another
   * client or a Sentinel may have connected, a replica may have fallen behind, or slots may have moved: whatever the
   * topology, the store is checked again right before each fault.
   * @throws only before anything was sent
   */
  async inject(
    moment: FaultMoment,
    record: RecordEvent,
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    await this.#requireFree(signal);
    return await this.begin({ ...moment, record, permit, signal });
  }

  /** @throws StoreRefusedError, or an error whose message states what to do */
  async #requireFree(signal: AbortSignal): Promise<void> {
    const { checkStore, redis } = this.tools;
    const check = await checkStore(signal);
    if (check.state === 'refused') throw new StoreRefusedError(check.admission);
    if (check.state === 'restarted') {
      throw new Error(
        `${redis.name} was restarted since the run began${redis.servers[0].isOfCluster ? ', failed over or was resharded' : ''}, and others may be using it by now: run again`,
      );
    }
  }

  /** All preparations succeeded: no earlier fault can be active any more. */
  prepared(): void {
    this.tools.ownPause.outlived();
  }

  /** Call right before a command is sent. @throws NotInjectedError, or the reason of `signal` */
  protected requirePermit(permit: Permit, signal?: AbortSignal): void {
    signal?.throwIfAborted();
    const refusal = permit.refusal();
    if (refusal !== undefined) throw new NotInjectedError(refusal);
  }

  /**
   * Whether a process that is gone has injected it, by the count of its command that Redis keeps. One that is still in flight is voided before the second comparison.
   */
  async inquire(marker: string): Promise<OrphanFinding> {
    const { redis } = this.tools;
    const compare = async (): Promise<OrphanFinding> => compareCalls(marker, await redis.facts(this.command));
    const found = await compare();
    if (found !== 'NotInjected') return found;
    await redis.takeCharge(IN_CHARGE_MS);
    return await compare();
  }
}
