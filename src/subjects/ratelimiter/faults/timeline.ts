/** Keeps what was observed around one fault, thinned out, for the diagnosis. */
import type { Component, Observation, Signal } from '../../../diagnosis/index.ts';
import type { RateLimiterTarget } from '../target.ts';
import { counted } from '../words.ts';
import type { CompleteSample } from './watch-record.ts';

/** More than this is not kept; a pause of a minute with counts that change with every sample stays below. */
const MAX_OBSERVATIONS = 3000;

/** Running totals of requests are noted at most this often. */
const TOTALS_EVERY_MS = 250;

/** Name of the component that sends the requests. */
const SENDER = 'sender';

/** Requests to one node so far. */
export interface Totals {
  readonly sent: number;
  readonly allowed: number;
  readonly unanswered: number;
}

export class Timeline {
  readonly components: readonly Component[];
  readonly #store: string;
  readonly #seen: (Omit<Observation, 'atMs'> & { at: number })[] = [];
  readonly #lastValue = new Map<string, number>();
  #totalsAt = 0;

  constructor(target: RateLimiterTarget) {
    this.#store = target.redis.podName;
    this.components = [
      ...target.nodes.map(({ name }): Component => ({ name, role: 'replica' })),
      { name: this.#store, role: 'store' },
      { name: SENDER, role: 'client' },
    ];
  }

  /** The observations with times relative to `origin`, which like all times here is in milliseconds since the epoch. */
  observations(origin: number): Observation[] {
    return this.#seen.map(({ at, ...rest }) => ({ atMs: at - origin, ...rest }));
  }

  limit(at: number, limit: number): void {
    this.#add(at, SENDER, 'limit', limit, `all replicas together may allow ${limit} requests`);
  }

  lag(at: number, lag: number): void {
    this.#add(
      at,
      this.#store,
      'count-lag',
      lag,
      `without a fault it was at most ${counted(lag, 'count')} behind the replicas`,
    );
  }

  writeAccepted(at: number, tookMs: number, note = ''): void {
    this.#add(
      at,
      this.#store,
      'write-accepted',
      tookMs,
      `a write was accepted after ${tookMs.toFixed(1)} ms${note}`,
    );
  }

  writeOutstanding(at: number, waitedMs: number): void {
    const text = `a write has been unanswered for ${Math.round(waitedMs)} ms`;
    this.#add(at, this.#store, 'write-outstanding', waitedMs, text);
  }

  readAnswered(at: number, tookMs: number): void {
    this.#add(at, this.#store, 'read-answered', tookMs, `reads were answered within ${tookMs.toFixed(1)} ms`);
  }

  storeUnreachable(at: number, waitedMs: number, reason: string): void {
    this.#add(at, this.#store, 'unreachable', waitedMs, reason);
  }

  /** Notes the counts that changed. */
  sample({ readAt, endedAt, admitted, stored }: CompleteSample): void {
    for (const [node, count] of admitted) {
      if (this.#changed(node, 'count-local', count)) {
        this.#add(readAt, node, 'count-local', count, `says it has admitted ${count}`);
      }
    }
    if (this.#changed(this.#store, 'count-stored', stored)) {
      this.#add(
        endedAt,
        this.#store,
        'count-stored',
        stored,
        `holds ${counted(stored, 'count')} of all replicas`,
      );
    }
  }

  /** Notes running totals of requests, not too often unless `always`. */
  traffic(at: number, totals: ReadonlyMap<string, Totals>, always = false): void {
    if (!always && at - this.#totalsAt < TOTALS_EVERY_MS) return;
    this.#totalsAt = at;
    for (const [node, { sent, allowed, unanswered }] of totals) {
      this.total(at, node, 'requests-sent', sent, 'requests sent to it so far');
      this.total(at, node, 'requests-allowed', allowed, 'requests allowed by it so far');
      this.total(at, node, 'requests-unanswered', unanswered, 'requests it has not answered in time so far');
    }
  }

  /** Notes a number that only grows, where it has grown: "requests sent to it so far: 7". */
  total(at: number, node: string, signal: Signal, value: number, what: string): void {
    if (this.#changed(node, signal, value)) this.#add(at, node, signal, value, `${what}: ${value}`);
  }

  #changed(component: string, signal: Signal, value: number): boolean {
    const key = `${signal} ${component}`;
    if (this.#lastValue.get(key) === value) return false;
    this.#lastValue.set(key, value);
    return true;
  }

  #add(at: number, component: string, signal: Signal, value: number, text: string): void {
    if (this.#seen.length < MAX_OBSERVATIONS) this.#seen.push({ at, component, signal, value, text });
  }
}
