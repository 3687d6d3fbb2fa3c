/**
 * A failover: a replica becomes the primary, and the former primary its replica. Nothing undoes it: roles stay swapped.
 * How it is begun, and what is lost, differs between Sentinel and a Cluster.
 */
import { createHash } from 'node:crypto';
import { allOf, each, type PerServer } from '../../client/per-server.ts';
import type { RedisConnections } from '../../client/redis-client.ts';
import type { RedisTarget } from '../../client/redis-target.ts';
import { proveWrite } from '../../client/write-probe.ts';
import { messageOf } from '../../text.ts';
import { pauseFor } from '../../waiting.ts';
import { type FaultReport, type FaultTools, NotInjectedError, type OrphanFinding } from '../fault.ts';
import { FencedFault, IN_CHARGE_MS, type Injection } from '../fenced-fault.ts';
import { asReplica, type NewPrimary, provenBy } from './former-primary.ts';

/** Interval between two looks for the new primary, and the longest wait for a write of it; milliseconds. */
const EVERY_MS = 100;
const WRITE_MS = 1000;

/**
 * What a process writes into Redis right before it sends a failover; each attempt has another fixture.
 * @returns eight characters
 */
export function claimOf(fixture: string): string {
  return createHash('sha256').update(fixture).digest('base64url').slice(0, 8);
}

/** The answer to a failover, and what was seen of the new primaries; seen left out: not all of them were. */
export interface Begun {
  readonly answer: string;
  readonly seen?: string;
}

interface Active {
  readonly report: FaultReport;
  readonly until: number;
  readonly former: PerServer<RedisConnections>;
}

export abstract class FencedFailover extends FencedFault<Active> {
  readonly #fixture: () => string;

  /** @param fixture of the attempt; read when it is prepared */
  constructor(tools: FaultTools, fixture: () => string) {
    super(tools);
    this.#fixture = fixture;
  }

  /** Whether the fault ends as soon as roles are swapped, which takes seconds; else it lasts until its announced end. */
  protected abstract readonly endsEarly: boolean;

  /** The primaries, as `<run_id>/<epoch>` in at most 55 characters; undefined if they may change. @throws Error */
  protected abstract primaries(signal: AbortSignal): Promise<string | undefined>;

  /**
   * Sends the command for each primary, and waits until its replica is reported as one, until `until` at most.
   * @param onSend called right before each command; it is not sent if this throws
   * @throws the reason of `signal`; else only if no command was carried out
   */
  protected abstract swapRoles(until: number, onSend: () => void, signal: AbortSignal): Promise<Begun>;

  /** The primaries by now. @throws Error with what is missing */
  abstract findPrimaries(): Promise<PerServer<RedisTarget>>;

  override async prepare(ms: number, signal: AbortSignal): Promise<{ readonly marker: string }> {
    await super.prepare(ms, signal);
    const primaries = await this.primaries(signal);
    if (primaries?.startsWith(`${this.runIdBefore}/`))
      return { marker: `${primaries}/${claimOf(this.#fixture())}` };
    throw new Error(`it is not settled which server is the primary of ${this.tools.redis.name}: run again`);
  }

  /** The check of the store, before this, includes replicas and rights. */
  protected async check(): Promise<void> {}

  protected async begin({ permit, plannedAt, signal, until }: Injection): Promise<FaultReport> {
    const { lifetime, now, redis } = this.tools;
    await pauseFor(plannedAt - now(), signal);
    // A successor that finds this claim sends no failover, so at most one is ever sent.
    const mayClaim = (): void => this.requirePermit(permit, signal);
    const former = redis.servers;
    const sent: { at?: number } = {};
    const onSend = (): void => {
      this.requirePermit(permit, signal);
      if (sent.at !== undefined) return;
      sent.at = now();
      redis.expectFailover(() => this.findPrimaries());
    };
    const begin = async (): Promise<Begun> => {
      await allOf(each(redis.servers, (server) => server.claim(claimOf(this.#fixture()), mayClaim)));
      return await this.swapRoles(until, onSend, lifetime);
    };
    const { answer, seen }: Begun = await begin().catch((error: unknown) => {
      const isSent = sent.at !== undefined;
      // Closed after it was sent, before a new primary was reported.
      if (isSent && lifetime.aborted)
        return { answer: `A failover was sent, and not observed: ${messageOf(error)}` };
      if (isSent) redis.expectNoFailover();
      throw new NotInjectedError(messageOf(error));
    });
    const startedAt = sent.at ?? now();
    // It may still be under way.
    if (seen === undefined) {
      return { startedAt, proof: 'Inconclusive', message: answer, evidence: [answer] };
    }
    const message = `${seen} ${Math.round(now() - startedAt)} ms after it was sent`;
    const report = { startedAt, proof: 'Confirmed', message, evidence: [answer, message] } as const;
    this.active = { report, until, former };
    return report;
  }

  /** Waits until all former primaries are replicas and the new ones take writes; until the announced end at most. */
  protected async end({ former, report, until }: Active, signal: AbortSignal): Promise<FaultReport> {
    const { now, target } = this.tools;
    const { startedAt = 0 } = report;
    const [replicas, primary] = await Promise.all([
      allOf(each(former, (server, i) => asReplica(server, target.redis[i]?.runId, now, until, signal))),
      this.#newPrimary(until, signal),
    ]);
    if (!this.endsEarly) await pauseFor(until - now(), signal);
    this.active = undefined;
    const { evidence, ...proven } = provenBy(startedAt, replicas, primary);
    return { ...report, ...proven, endedAt: now(), evidence: [...report.evidence, ...evidence] };
  }

  /** When it took a write, or what is missing at `until`. @throws the reason of `signal` */
  async #newPrimary(until: number, signal: AbortSignal): Promise<NewPrimary> {
    const { now, redis } = this.tools;
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
   * NotInjected only if the primaries are the same, and this failover was not claimed: once this process is in charge,
   * no other can claim it.
   */
  override async inquire(marker: string): Promise<OrphanFinding> {
    const { lifetime, redis } = this.tools;
    const [runId, , claim] = marker.split('/', 3);
    await redis.takeCharge(IN_CHARGE_MS);
    const claims = await allOf(each(redis.servers, (server) => server.claimed()));
    if (claims.some((found) => found === claim)) return 'Unknown';
    const now = await redis.facts();
    const primaries = await this.primaries(lifetime);
    return now.runId === runId && `${primaries}/${claim}` === marker ? 'NotInjected' : 'Unknown';
  }
}
