/**
 * Writes Kubernetes events (events.k8s.io/v1), as shown by `kubectl events` and `kubectl describe`.
 *
 * Events are best effort: recording neither waits nor throws, the queue is bounded, and events that cannot be written
 * are dropped and counted in the log. Namespaces take turns, each with its own bound, so that none drops the events of
 * another. A repetition of an event within a few minutes increments the count of the first instead of creating a new
 * object.
 */

import { isNotFound, isTransient } from './api-error.ts';
import type { KubeApi } from './client.ts';
import { FairQueue } from './fair/fair-queue.ts';
import { type Logger, microTime } from './kube-types.ts';
import { resourcePath } from './resource-path.ts';
import { backoffDelay, endsWithin, sleep, systemTimers } from './wait.ts';

/** The object of an event. */
export interface EventReference {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
}

/** An event to record. */
export interface EventRecord {
  regarding: EventReference;
  type: 'Normal' | 'Warning';
  /** A CamelCase word, at most 128 characters. */
  reason: string;
  /** The action taken, as a CamelCase word, at most 128 characters. */
  action: string;
  /** For people; cut to 1 kB. */
  note: string;
}

/** Times in milliseconds. */
export interface EventRecorderOptions {
  client: KubeApi;
  logger: Logger;
  /** Name of the controller, such as `example.com/shop-controller`. */
  reportingController: string;
  /** The process, for example its pod name; cut to 128 characters. */
  reportingInstance: string;
  /** Maximum events of one namespace in the queue; more are dropped. Default 64. */
  queueLimit?: number;
  /** A repeat counts into the series if the last one is at most this long ago. Default 6 minutes, as client-go. */
  seriesMs?: number;
}

interface Series {
  record: EventRecord;
  /** Name of the event object; undefined until it is created. */
  name: string | undefined;
  count: number;
  firstAt: Date;
  lastAt: Date;
  queued: boolean;
}

const eventType = { group: 'events.k8s.io', version: 'v1', plural: 'events' };
/** Bounds from the validation of events.k8s.io/v1. */
const longestNoteBytes = 1024;
const longestWord = 128;
const seriesLimit = 1000;
const writeAttempts = 4;
const writeBackoff = { baseMs: 500, maxMs: 10_000 };

export class EventRecorder {
  readonly #options: Required<EventRecorderOptions>;
  readonly #series = new Map<string, Series>();
  readonly #queue = new FairQueue<Series>();
  readonly #abort = new AbortController();
  #writing: Promise<void> | undefined;
  #stopped = false;
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = { queueLimit: 64, seriesMs: 360_000, ...options };
  }

  /** Queues an event. Returns at once and never throws; does nothing after `stop`. */
  record(record: EventRecord): void {
    if (this.#stopped) return;
    const now = new Date();
    const key = seriesKey(record);
    const known = this.#series.get(key);
    if (known !== undefined && now.getTime() - known.lastAt.getTime() <= this.#options.seriesMs) {
      known.count++;
      known.lastAt = now;
      this.#enqueue(known);
      return;
    }
    const fresh: Series = { record, name: undefined, count: 1, firstAt: now, lastAt: now, queued: false };
    if (this.#enqueue(fresh)) this.#remember(key, fresh);
  }

  /** Writes queued events for at most `deadlineMs`; drops the rest. Never rejects. */
  async stop(deadlineMs: number): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    if (await endsWithin(systemTimers, deadlineMs, this.#writing ?? Promise.resolve())) return;
    const { logger } = this.#options;
    logger.warn({ lost: this.#queue.size, deadlineMs }, 'stopping: not all events could be written');
    this.#abort.abort(new Error('the event recorder is stopping'));
    this.#queue.clear();
  }

  #remember(key: string, series: Series): void {
    this.#series.delete(key);
    this.#series.set(key, series);
    const [oldest = ''] = this.#series.keys();
    if (this.#series.size > seriesLimit) this.#series.delete(oldest);
  }

  /** Returns whether it is in the queue. */
  #enqueue(series: Series): boolean {
    if (series.queued) return true;
    const { queueLimit, logger } = this.#options;
    const namespace = namespaceOf(series);
    if (this.#queue.sizeOf(namespace) >= queueLimit) {
      if (this.#dropped++ === 0)
        logger.warn({ queueLimit, namespace }, 'too many events wait; dropping new ones');
      return false;
    }
    series.queued = true;
    this.#queue.push(namespace, series);
    this.#writing ??= this.#writeAll();
    return true;
  }

  async #writeAll(): Promise<void> {
    // Not in the call stack of `record`.
    await Promise.resolve();
    for (let series = this.#queue.shift(); series !== undefined; series = this.#queue.shift()) {
      series.queued = false;
      await this.#writeWithRetries(series);
    }
    if (this.#dropped > 0) this.#options.logger.warn({ dropped: this.#dropped }, 'events were dropped');
    this.#dropped = 0;
    // In the same turn as the last check of the queue, or an event added in between would wait for the next.
    this.#writing = undefined;
  }

  async #writeWithRetries(series: Series): Promise<void> {
    const { logger } = this.#options;
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#write(series);
        return;
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        if (!isTransient(error) || attempt + 1 >= writeAttempts) {
          const { reason, regarding } = series.record;
          logger.warn({ err: error, reason, regarding: regarding.name }, 'an event could not be written');
          return;
        }
        await sleep(backoffDelay(attempt, writeBackoff), this.#abort.signal).catch(() => {});
      }
    }
  }

  async #write(series: Series): Promise<void> {
    const { client } = this.#options;
    const { count, lastAt } = series;
    const namespace = namespaceOf(series);
    const seriesField = { count, lastObservedTime: microTime(lastAt) };
    const call = { signal: this.#abort.signal, timeoutMs: 10_000 };
    if (series.name !== undefined) {
      try {
        await client.request({
          method: 'PATCH',
          path: resourcePath(eventType, { namespace, name: series.name }),
          contentType: 'application/merge-patch+json',
          body: { series: seriesField },
          ...call,
        });
        return;
      } catch (error) {
        // Events live an hour by default; the series continues in a new one.
        if (!isNotFound(error)) throw error;
      }
    }
    const name = eventName(series.record.regarding.name);
    const body = { ...this.#body(series, name, namespace), ...(count > 1 ? { series: seriesField } : {}) };
    await client.request({ method: 'POST', path: resourcePath(eventType, { namespace }), body, ...call });
    series.name = name;
  }

  #body(series: Series, name: string, namespace: string): object {
    const { reportingController, reportingInstance } = this.#options;
    const { regarding, type, reason, action, note } = series.record;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, namespace },
      eventTime: microTime(series.firstAt),
      reportingController,
      reportingInstance: reportingInstance.slice(0, longestWord),
      type,
      reason: reason.slice(0, longestWord),
      action: action.slice(0, longestWord),
      regarding,
      note: truncateUtf8(note, longestNoteBytes),
    };
  }
}

/** The namespace of the event. */
function namespaceOf({ record }: Series): string {
  return record.regarding.namespace ?? 'default';
}

/** Identifies equal records. The resource version is not part of it: it changes with every write. */
function seriesKey(record: EventRecord): string {
  const { regarding, type, reason, action, note } = record;
  const { kind, namespace, name, uid } = regarding;
  return JSON.stringify([kind, namespace, name, uid, type, reason, action, note]);
}

/** Unique, and sorted by time within one object, as client-go names its events. */
function eventName(regarding: string): string {
  const random = Math.floor(Math.random() * 0x1000000);
  const suffix = `${Date.now().toString(16)}${random.toString(16).padStart(6, '0')}`;
  // 253 characters is the limit of names; the cut must not end in a dot or dash.
  return `${regarding.slice(0, 252 - suffix.length).replace(/[.-]+$/, '')}.${suffix}`;
}

/** The longest prefix of complete characters within `limit` bytes, marked if it was cut. */
export function truncateUtf8(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text;
  const ellipsis = '...';
  const bytes = Buffer.from(text).subarray(0, limit - ellipsis.length);
  // In stream mode the decoder holds back a character that was cut in the middle.
  return new TextDecoder().decode(bytes, { stream: true }) + ellipsis;
}
