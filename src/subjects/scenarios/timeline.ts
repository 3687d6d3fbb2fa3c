/**
 * The observations around one fault, as evidence: component names show their role towards the others and do not reveal
 * what they are. The pods behind the names are kept separately.
 */
import type { FaultEvent, ProbeEvent } from '@chaosdemo/redis-faults/events';
import { counted } from '../../api/index.ts';
import { UNREACHABLE } from '../../engine/health.ts';
import {
  EVIDENCE_LIMITS,
  type EvidenceComponent,
  EvidenceRecorder,
  type FaultEvidence,
  type SeenInvariant,
  type Signal,
} from '../../evidence/index.ts';
import type { BurstResult } from '../checkers/burst-result.ts';
import type {
  CallerKind,
  CallerRequest,
  EventOf,
  HistoryEvent,
  LateAnswer,
  RequestOutcome,
} from '../history/events.ts';
import type { History } from '../history/history.ts';
import type { FaultTimes } from '../history/recorded.ts';
import type { Setup } from '../history/setup.ts';
import { isConnectionFailure } from '../http/caller-request.ts';

const CLIENT = 'client';
const STORE = 'store';
/** Besides the store and the client. */
const MOST_REPLICAS = EVIDENCE_LIMITS.components - 2;
/** A write that waits this long, in milliseconds, and this many times the slowest usual one, is worth an event. */
const LONG_MS = 100;
const LONG_FACTOR = 5;
/** A connection that breaks now and then is no silence; a pod without any answer for this long is. Milliseconds. */
const UNHEARD_MS = 500;

/** Whose requests: those of the one caller that the limit is about, or of others that stay far under theirs. */
export type Source = 'requests' | 'others';

const OF_ANSWER = {
  Admitted: 'admitted',
  Rejected: 'rejected',
  Error: 'errors',
  Timeout: 'timeouts',
} as const satisfies Record<RequestOutcome, string>;

/** Evidence as far as it depends on the type of the scenario. */
export type SeenEvidence = Omit<FaultEvidence, 'detections'>;

export class Timeline {
  /** The origin of its times until a fault begins. Milliseconds since the epoch. */
  readonly #startedAt: number;
  /** Component names with the pods behind them. */
  readonly #pods: readonly { readonly component: string; readonly pod: string }[];
  readonly #recorder: EvidenceRecorder;
  /** By pod name. */
  readonly #replicas: ReadonlyMap<string, string>;
  /** When each component last answered, or was first sent a request. */
  readonly #heard = new Map<string, number>();
  readonly #silent = new Set<string>();
  /** When the first request was sent after which a component did not answer, and connections to it broke. */
  readonly #unheardSince = new Map<string, number>();
  readonly #states = new Map<string, string>();
  /** The errors that the store answered with since it last accepted a write. */
  readonly #refused = new Set<string>();
  /** Connections of the store that were open when those that it accepted were first counted. */
  #openAtFirst: number | undefined;
  #usualWriteMs = 0;
  #writesStall = false;

  constructor({ pods, preparedAt, redis = [] }: Pick<Setup, 'pods' | 'preparedAt' | 'redis'>) {
    this.#startedAt = preparedAt;
    const shown = pods.slice(0, MOST_REPLICAS);
    this.#replicas = new Map(shown.map((pod, i) => [pod, `replica-${i + 1}`]));
    const replicas = [...this.#replicas.values()];
    this.#pods = [
      ...[...this.#replicas].map(([pod, component]) => ({ component, pod })),
      ...redis.map((pod) => ({ component: STORE, pod })),
    ];
    const components: EvidenceComponent[] = [
      ...replicas.map((name): EvidenceComponent => ({ name, role: 'replica' })),
      { name: STORE, role: 'store' },
      { name: CLIENT, role: 'client' },
    ];
    this.#recorder = new EvidenceRecorder(components);
    for (const name of [...replicas, STORE]) this.#heard.set(name, preparedAt);
    if (pods.length > shown.length) {
      const left = counted(pods.length - shown.length, 'replica');
      this.#event(preparedAt, CLIENT, `${left} more are left out here, and their requests and counts`);
    }
  }

  /** The observations of a fault; times are relative to its start, or to the beginning of the timeline before it. */
  evidence(
    { startedAt: originMs = this.#startedAt }: Pick<FaultTimes, 'startedAt'>,
    invariant?: SeenInvariant,
    bands: FaultEvidence['bands'] = [],
  ): SeenEvidence {
    return { originMs, pods: this.#pods, bands, bundle: this.#recorder.bundle(originMs, invariant) };
  }

  /** Shows an event of a history, if it needs no other events. */
  show(event: HistoryEvent): void {
    if (event.kind === 'request') this.request(event, 'requests');
    else if (event.kind === 'probe') this.#probe(event);
    else if (event.kind === 'fault' && event.step === 'CountsLost') this.#countsLost(event);
    else if (event.kind === 'health') this.#health(event);
    else if (event.kind === 'count') this.#stored(event);
    else if (event.kind === 'gone' || event.kind === 'restarted') this.#podsChanged(event);
  }

  /**
   * `most`: the most that all pods of a correct limiter may have admitted until `at`; may exceed `requests` of the
   * limit.
   */
  limit(at: number, most: number): void {
    this.#recorder.add(at, CLIENT, 'limit', most);
  }

  lag(at: number, lag: number): void {
    this.#recorder.add(at, STORE, 'count-lag', lag);
  }

  /** How long writes took while all was known to be healthy, from the fastest to the slowest. */
  usualWrites(at: number, tookMs: readonly number[]): void {
    for (const took of tookMs) this.#recorder.add(at, STORE, 'write-latency', took);
    this.#usualWriteMs = Math.max(this.#usualWriteMs, ...tookMs);
  }

  #read(at: number, tookMs: number): void {
    this.#recorder.add(at, STORE, 'read-latency', tookMs);
    this.#answers(at, STORE);
  }

  /** The store answered with an error; shown once until it accepts a write again. */
  #refuses(at: number, what: 'a command' | 'a write'): void {
    this.#answers(at, STORE);
    if (this.#refused.has(what)) return;
    this.#refused.add(what);
    this.#event(at, STORE, `it answered ${what} with an error`);
  }

  /** Shows its count in the store. */
  #stored({ endedAt, readAt, stored, storeSilent }: EventOf<'count'>): void {
    if (stored !== undefined) {
      this.#recorder.add(endedAt, STORE, 'count-stored', stored);
      this.#read(endedAt, endedAt - readAt);
    } else if (storeSilent) this.#unreachable(endedAt, STORE);
  }

  #answered(at: number, pod: string, outcome: RequestOutcome, tookMs: number, source: Source): void {
    const component = this.#replicas.get(pod);
    if (component === undefined) return;
    this.#count(at, pod, `${source}-${OF_ANSWER[outcome]}`, 1);
    if (outcome === 'Timeout') return;
    this.#recorder.add(at, component, 'request-latency', tookMs);
    this.#answers(at, component);
  }

  /** A request that has its outcome. @param source undefined: it is not shown */
  request({ cause, endedAt, outcome, pod, sentAt }: CallerRequest, source: Source | undefined): void {
    if (source === undefined) return;
    this.#count(sentAt, pod, `${source}-sent`, 1);
    if (!isConnectionFailure({ cause })) {
      this.#answered(endedAt, pod, outcome, endedAt - sentAt, source);
      return;
    }
    this.#count(endedAt, pod, `${source}-${OF_ANSWER[outcome]}`, 1);
    const component = this.#replicas.get(pod);
    if (component === undefined) return;
    const since = this.#unheardSince.get(component) ?? sentAt;
    this.#unheardSince.set(component, since);
    if (endedAt - since >= UNHEARD_MS) this.#unreachable(endedAt, component, since);
  }

  /** An admission of the caller that is first seen in the fault. */
  newcomer(at: number, pod: string): void {
    this.#count(at, pod, 'newcomer-admitted', 1);
  }

  /** A request that was recorded as unanswered has an answer after all. */
  late({ pod, sentAt }: CallerRequest, { at, outcome }: LateAnswer): void {
    this.#count(at, pod, `requests-${OF_ANSWER.Timeout}`, -1);
    this.#answered(at, pod, outcome, at - sentAt, 'requests');
  }

  /** Requests that were sent together. */
  burst({ outcomes, requests, sendSpanMs, startedAt }: BurstResult): void {
    this.#event(
      startedAt,
      CLIENT,
      `${counted(requests, 'request')} were sent within ${spanOf(sendSpanMs)} ms`,
    );
    for (const { pod, sentAt } of outcomes) this.#count(sentAt, pod, 'requests-sent', 1);
    for (const { endedAt, outcome, pod, sentAt } of outcomes.toSorted((a, b) => a.endedAt - b.endedAt)) {
      this.#answered(endedAt, pod, outcome, endedAt - sentAt, 'requests');
    }
  }

  /** Requests that were sent together for another caller, or in another window: unrelated to the counts here. */
  otherBurst(
    { admitted, admittedBy, endedAt, requests, sent: sentTo, sendSpanMs, startedAt }: BurstResult,
    who = 'another caller',
  ): void {
    for (const [pod, component] of this.#replicas) {
      if (sentTo.has(pod))
        this.#recorder.add(endedAt, component, 'admitted-elsewhere', admittedBy.get(pod) ?? 0);
    }
    const sent = `${counted(requests, 'request')} within ${spanOf(sendSpanMs)} ms`;
    this.#event(startedAt, CLIENT, `${who} sent ${sent}, of which ${admitted} were admitted`);
  }

  /** Records changes in the health of the replicas. */
  #health({ at, connected, pods }: EventOf<'health'>): void {
    for (const [pod, state] of Object.entries(pods)) {
      const component = this.#replicas.get(pod);
      if (component === undefined) continue;
      const now =
        state === UNREACHABLE ? 'gave no proper answer' : state === 'ready' ? 'was passed' : 'failed';
      this.#state(at, component, `its health check ${now}`, state === 'ready');
    }
    const says = connected
      ? 'every replica reports that it reaches it'
      : 'not every replica reports that it reaches it';
    this.#state(at, STORE, says, connected);
  }

  #probe({ at, made = 0, open, state, tookMs = 0 }: ProbeEvent): void {
    switch (state) {
      case 'Read':
        return this.#read(at, tookMs);
      case 'Written':
        this.#recorder.add(at, STORE, 'write-latency', tookMs);
        this.#refused.clear();
        this.#answers(at, STORE);
        if (this.#writesStall) this.#event(at, STORE, `a write was accepted after ${Math.round(tookMs)} ms`);
        this.#writesStall = false;
        return;
      case 'Waiting':
        this.#recorder.add(at, STORE, 'write-outstanding', tookMs);
        if (this.#writesStall || tookMs < Math.max(LONG_MS, LONG_FACTOR * this.#usualWriteMs)) return;
        this.#writesStall = true;
        return this.#event(at, STORE, `a write has had no answer for ${Math.round(tookMs)} ms`);
      case 'Unreachable':
        return this.#unreachable(at, STORE);
      case 'Lost':
        return this.#event(at, STORE, 'a connection to it was lost, with a write that was not answered');
      case 'ReadRefused':
        return this.#refuses(at, 'a command');
      case 'WriteRefused':
        return this.#refuses(at, 'a write');
      case 'Restarted':
        return this.#event(at, STORE, 'another server process answers in its place: it was restarted');
      case 'Connections':
        this.#recorder.add(at, STORE, 'connections-made', made);
        if (open === undefined) return;
        this.#openAtFirst ??= open - made;
        return this.#recorder.add(at, STORE, 'connections-ended', made + this.#openAtFirst - open);
      default:
        return state satisfies never;
    }
  }

  /** Both were read in one transaction. */
  #countsLost({ at, total }: FaultEvent<'CountsLost'>): void {
    this.#recorder.add(at - 1, STORE, 'count-stored', total);
    this.#recorder.add(at, STORE, 'count-stored', 0);
  }

  #podsChanged({ at, kind, pods }: EventOf<'gone' | 'restarted'>): void {
    for (const component of pods.flatMap((pod) => this.#replicas.get(pod) ?? [])) {
      if (kind === 'gone') this.#state(at, component, 'it was deleted', false);
      else this.#event(at, component, 'its container was restarted');
    }
  }

  #event(at: number, component: string, text: string): void {
    this.#recorder.event(at, component, text);
  }

  #count(at: number, pod: string, signal: Signal, more: number): void {
    const component = this.#replicas.get(pod);
    if (component !== undefined) this.#recorder.count(at, component, signal, more);
  }

  #answers(at: number, component: string): void {
    this.#heard.set(component, Math.max(at, this.#heard.get(component) ?? 0));
    this.#unheardSince.delete(component);
    if (this.#silent.delete(component)) this.#event(at, component, 'it answers again');
  }

  #unreachable(at: number, component: string, since = this.#heard.get(component) ?? at): void {
    this.#recorder.add(at, component, 'unreachable', Math.max(0, at - since));
    if (this.#silent.has(component)) return;
    this.#silent.add(component);
    this.#event(at, component, 'it gives no answer');
  }

  /** A component that is healthy from the start is no event. */
  #state(at: number, component: string, text: string, well: boolean): void {
    const known = this.#states.get(component);
    if (known === text || (known === undefined && well)) return;
    this.#states.set(component, text);
    this.#event(at, component, text);
  }
}

/** Draws a history of requests of one kind, and what probes saw of the store. */
export function drawRequests({ events, setup, times }: History, caller: CallerKind): SeenEvidence {
  const timeline = new Timeline(setup);
  timeline.usualWrites(setup.preparedAt, setup.usualWriteMs > 0 ? [setup.usualWriteMs] : []);
  for (const event of events) {
    if (event.kind !== 'request' || event.caller === caller) timeline.show(event);
  }
  return timeline.evidence(times);
}

function spanOf(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : String(Math.round(ms));
}
