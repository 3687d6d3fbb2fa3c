/**
 * The faults of a fault proxy between the pods and Redis. The proxy ends each by its own timer, even if every process of
 * the operator dies. It begins none of a process that is no longer in charge.
 */
import { type PodPaths, pathsOf } from '../admission/fault-proxy-clients.ts';
import { clientsOf, type RedisClient } from '../admission/redis-clients.ts';
import { ipOf } from '../client/address.ts';
import { DataConnection } from '../client/data-port.ts';
import { type FaultProxyClient, FaultProxyError } from '../client/fault-proxy.ts';
import { compareCounts } from '../client/redis-info.ts';
import { EARLY_MS } from '../events.ts';
import type { FaultType, ProxyState } from '../proxy/control-api.ts';
import { counted, listed, messageOf } from '../text.ts';
import { pauseFor } from '../waiting.ts';
import {
  type FaultReport,
  type FaultTools,
  NotInjectedError,
  type OrphanFinding,
  type RecordEvent,
} from './fault.ts';
import { FencedFault, type Injection } from './fenced-fault.ts';
import { inconclusive, type Proof, withProof } from './proof.ts';

/** A shorter fault cannot be proven; milliseconds. */
const LEAST_MS = 500;
/** A fault may outlast its planned end by this much, because the answer of the proxy takes time; milliseconds. */
const LATE_MS = 1000;
/** Longest and shortest interval between two probes of an active fault; milliseconds. Near its end they are close. */
const EVERY_MS = 100;
const LEAST_EVERY_MS = 10;
/** A probe shows nothing of the time longer before it; milliseconds. */
const LONGEST_GAP_MS = 1000;
/** How long after its planned end the probe waits for the end; milliseconds. */
const END_WITHIN_MS = 60_000;

/** What was known of the proxy and the ways to Redis before the fault. */
export interface Before extends PodPaths {
  readonly state: ProxyState;
}

/** Unclear: it was met, and not as it should be. */
export type Look = 'Ended' | 'Met' | 'Unclear';

interface Active {
  readonly report: FaultReport;
  readonly until: number;
  readonly record: RecordEvent;
}

export abstract class ProxiedFault extends FencedFault<Active> {
  protected readonly proxy: FaultProxyClient;
  #before: Before | undefined;
  #through: DataConnection | undefined;
  /** When its last probe was; milliseconds since the epoch. */
  #seenAt = 0;

  /** @throws Error if there is no proxy */
  constructor(tools: FaultTools) {
    super(tools);
    if (!tools.proxy) throw new Error('there is no fault proxy between the pods and Redis');
    this.proxy = tools.proxy;
  }

  protected abstract readonly type: FaultType;
  /** How long the proxy keeps it after its planned end, until its announced end; milliseconds. */
  protected readonly lingerMs: number = 0;
  /** Whether it ends open connections at its start. */
  protected readonly resets: boolean = false;
  /** How long each command waits, if it delays them; milliseconds. */
  protected readonly latencyMs: number | undefined = undefined;
  /**
   * How long a reply through the proxy may take without the fault, if the proof needs a connection from before it; else
   * undefined. Milliseconds.
   */
  protected readonly quickMs: number | undefined = undefined;
  /** Proves it by probes that do not use the control API; `until`: its planned end. */
  protected abstract prove(before: Before, until: number): Promise<Proof>;
  /** What a probe shows of it; `until`: its planned end. */
  protected abstract look(before: Before, until: number): Promise<Look>;
  /** A last probe at its planned end; undefined: none is needed. */
  protected async proveEnd(_before: Before): Promise<Proof | undefined> {
    return undefined;
  }
  /** Observes what the proxy keeps after the planned end, until then; milliseconds since the epoch. */
  protected async linger(_until: number, _record: RecordEvent): Promise<void> {}

  /** A connection of the operator through the proxy, from before the fault: what clients see. */
  protected get through(): DataConnection {
    if (!this.#through) throw new Error('no connection is open');
    return this.#through;
  }

  /** A new connection of the operator to the port of clients. Without TLS: only whether it leads to a server matters. */
  protected async dial({ state }: Before): Promise<DataConnection | undefined> {
    return await DataConnection.open({ host: this.proxy.host, port: state.port, tls: false });
  }

  override async prepare(ms: number, signal: AbortSignal): Promise<{ readonly marker: string }> {
    await super.prepare(ms, signal);
    const { state } = this.#prepared;
    return { marker: `${state.instance}/${state.faults}` };
  }

  /** That pods connect by the proxy, and only by it, and that no fault is active. Takes charge of the proxy. */
  protected async check(): Promise<void> {
    const { proxy } = this;
    const state = await proxy.takeCharge();
    if (state.fault) {
      const { remainingMs, type } = state.fault;
      throw new Error(`${proxy.name} has a ${type} active for ${remainingMs} ms more: run again after that`);
    }
    const paths = pathsOf(this.tools.target.pods, await proxy.connections(), await this.clients());
    const { name } = this.tools.redis;
    if (paths.direct.length > 0) {
      throw new Error(
        `${name} lists connections from ${listed(paths.direct)}, so they would not meet the fault: the rate limiter has to connect by the fault proxy only. Restart its pods if the Service of Redis was changed`,
      );
    }
    if (paths.missing.length > 0) {
      throw new Error(
        `${proxy.name} lists no connection of ${listed(paths.missing)} that ${name} lists as well, so fault type ${this.type} would not reach them: the rate limiter has to connect to the fault proxy, and the proxy to this Redis`,
      );
    }
    this.#before = { ...paths, state };
  }

  protected async begin({ permit, plannedAt, record, signal, until }: Injection): Promise<FaultReport> {
    const { now } = this.tools;
    const before = this.#prepared;
    await this.#open(before);
    let clients: readonly string[];
    let ms = 0;
    // The first request that it may have affected ends after this.
    let startedAt = 0;
    try {
      await pauseFor(plannedAt - now(), signal);
      ms = Math.floor(until - now());
      if (ms < LEAST_MS)
        throw new NotInjectedError(`only ${Math.max(0, ms)} ms were left of the planned fault`);
      this.requirePermit(permit);
      startedAt = now();
      ({ clients } = await this.proxy.begin(this.type, ms + this.lingerMs, this.latencyMs));
    } catch (error) {
      this.#through?.close();
      if (!(error instanceof FaultProxyError)) throw error;
      if (error.status !== undefined) throw new NotInjectedError(error.message);
      // It may still be begun: in charge is from now on no request that was sent before.
      await this.proxy.release().catch(() => undefined);
      const message = `${this.type} was requested, and whether it began is not known: ${error.message}`;
      return { proof: 'Inconclusive', message, evidence: [] };
    }
    if (now() + ms > until + LATE_MS) {
      const endedAt = await this.proxy.release().then(now, () => undefined);
      this.#through?.close();
      const isEnded = endedAt !== undefined;
      const message = `${this.proxy.name} responded so late that the fault would last longer than announced; it was ${isEnded ? 'ended' : 'to be ended, and that got no reply'}`;
      return { startedAt, ...(isEnded && { endedAt }), proof: 'Inconclusive', message, evidence: [message] };
    }
    this.#seenAt = now();
    const connections = this.#byPod(clients);
    if (this.resets) {
      record({ kind: 'fault', step: 'ConnectionsEnded', at: startedAt, connections });
    }
    // Pods on one machine may have the same address.
    const hosts = new Set(clients.map(ipOf));
    const { pods } = this.tools.target;
    const missing = pods.filter(({ host }) => !hosts.has(host));
    const proof: Proof =
      missing.length > 0
        ? inconclusive(`It reached no connection of ${listed(missing.map(({ name }) => name))}`)
        : await this.prove(before, until);
    const sum = Object.values(connections).reduce((total, each) => total + each, 0);
    const message = `${this.proxy.name} began a ${this.type} for ${ms} ms, which reached ${counted(sum, 'connection')} of ${counted(pods.length - missing.length, 'pod')}`;
    const report = withProof({ startedAt, proof: 'Confirmed', message, evidence: [message] }, proof);
    if (report.proof === 'Confirmed') this.#saw(record, true);
    this.#seenAt = now();
    this.active = { report, until, record };
    return report;
  }

  protected async end({ record, report, until }: Active, signal: AbortSignal): Promise<FaultReport> {
    const { now } = this.tools;
    const before = this.#prepared;
    let look: Look = 'Met';
    while (look !== 'Ended' && now() < until + END_WITHIN_MS) {
      await pauseFor(Math.max(LEAST_EVERY_MS, Math.min(EVERY_MS, (until - now()) / 2)), signal);
      look = await this.look(before, until);
      if (look === 'Met') this.#saw(record, true);
      this.#seenAt = now();
    }
    const hasEnded = look === 'Ended';
    const endedAt = now();
    this.active = undefined;
    const early = Math.round(until - endedAt);
    const isInTime = hasEnded && early <= EARLY_MS;
    const last = isInTime ? await this.proveEnd(before) : undefined;
    // One that lingers is still there.
    const isGone = !isInTime || (this.lingerMs === 0 && last?.proof !== 'Inconclusive');
    if (hasEnded && isGone) this.#saw(record, false, endedAt);
    const lingering = isInTime ? this.linger(until + this.lingerMs, record) : Promise.resolve();
    void lingering.catch(() => undefined).finally(() => this.#through?.close());
    if (!hasEnded) {
      return { ...report, message: `${report.message}. No end was seen until ${END_WITHIN_MS} ms after it` };
    }
    const why = await this.#whyOtherwise(early);
    const when = `It ended ${Math.abs(early)} ms ${early > 0 ? 'before' : 'after'} its planned end`;
    const ended = { ...report, endedAt, evidence: [...report.evidence, when] };
    if (why !== undefined) return withProof(ended, inconclusive(`${when}: ${why}`));
    return last ? withProof(ended, last) : ended;
  }

  /** Records what a probe shows, of the time since the one before it. */
  #saw(record: RecordEvent, isActive: boolean, at = this.tools.now()): void {
    const sinceMs = isActive ? Math.min(LONGEST_GAP_MS, at - this.#seenAt) : 0;
    record({ kind: 'fault', step: 'Seen', at, isActive, sinceMs });
  }

  /** By the count of faults of the proxy. A request that is still in flight is voided before the second comparison. */
  override async inquire(marker: string): Promise<OrphanFinding> {
    const compare = ({ faults, instance }: ProxyState): OrphanFinding =>
      compareCounts(marker, instance, faults);
    const found = compare(await this.proxy.state());
    return found === 'NotInjected' ? compare(await this.proxy.takeCharge()) : found;
  }

  /** CLIENT LIST of Redis. @throws RedisClientError, or RedisWireError for a list that is not of this Redis */
  protected async clients(): Promise<readonly RedisClient[]> {
    const { redis, target } = this.tools;
    return clientsOf(await redis.servers[0].clientList(), target.redis[0].username);
  }

  /** Shows that Redis replies through the proxy. It is closed with the driver. @throws NotInjectedError */
  async #open({ state }: Before): Promise<void> {
    const { quickMs } = this;
    if (quickMs === undefined) return;
    const { ca, servername, tls } = this.tools.target.redis[0];
    const verified = {
      tls,
      ...(ca !== undefined && { ca }),
      ...(servername !== undefined && { servername }),
    };
    const { host, name } = this.proxy;
    this.#through = await DataConnection.open({ host, port: state.port, ...verified });
    const sentAt = performance.now();
    const answer = await this.#through?.state();
    const tookMs = performance.now() - sentAt;
    const way = `through port ${state.port} of ${name}`;
    if (answer === 'Answered' && tookMs <= quickMs) {
      this.tools.lifetime.addEventListener('abort', () => this.#through?.close(), { once: true });
      return;
    }
    this.#through?.close();
    throw new NotInjectedError(
      answer === 'Answered'
        ? `without a fault, Redis replied to the operator ${way} after ${Math.ceil(tookMs)} ms, so the fault could not be shown: give the fault proxy and Redis more CPU`
        : `Redis did not reply to the operator ${way}: check that no NetworkPolicy blocks it, and with redis.tls, that the certificate is the one of Redis`,
    );
  }

  get #prepared(): Before {
    if (!this.#before) throw new NotInjectedError('the fault was not prepared by this process');
    return this.#before;
  }

  #byPod(clients: readonly string[]): Record<string, number> {
    const { pods } = this.tools.target;
    const names = clients.flatMap((client) => pods.find(({ host }) => host === ipOf(client))?.name ?? []);
    return Object.fromEntries(
      [...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]),
    );
  }

  /** Why it did not end by its own timer; undefined: it did. */
  async #whyOtherwise(earlyMs: number): Promise<string | undefined> {
    if (this.proxy.released) return 'this run released it';
    try {
      const { instance } = await this.proxy.state();
      if (instance !== this.#prepared.state.instance) return 'the fault proxy was restarted';
      return earlyMs > EARLY_MS ? 'another client of its control API ended it' : undefined;
    } catch (error) {
      return `whether the fault proxy was restarted is not known: ${messageOf(error)}`;
    }
  }
}
