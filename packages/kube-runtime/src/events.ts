/**
 * Writes Kubernetes events (events.k8s.io/v1), as shown by `kubectl events` and `kubectl describe`.
 *
 * Events are best effort: recording neither waits nor throws, the queue is bounded, and events that cannot be written
 * are dropped and counted in the log. Namespaces take turns, each with its own bound, so that none drops the events of
 * another. A repetition of an event within a few minutes is not written.
 */

import { isTransient } from './api-error.ts';
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
}

interface Waiting {
  readonly record: EventRecord;
  readonly at: Date;
}

const eventType = { group: 'events.k8s.io', version: 'v1', plural: 'events' };
/** Bounds from the validation of events.k8s.io/v1. */
const longestNoteBytes = 1024;
const longestWord = 128;
/** How long an event is not repeated, in milliseconds, and how many are remembered for that. */
const repeatMs = 360_000;
const recentLimit = 1000;
/** Maximum events of one namespace in the queue; more are dropped. */
const queueLimit = 64;
const writeAttempts = 4;
const writeBackoff = { baseMs: 500, maxMs: 10_000 };

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  /** When events were recorded that are not repeated yet. */
  readonly #recent = new Map<string, number>();
  readonly #queue = new FairQueue<Waiting>();
  readonly #abort = new AbortController();
  #writing: Promise<void> | undefined;
  #stopped = false;
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Queues an event. Returns at once and never throws; does nothing after `stop`. */
  record(record: EventRecord): void {
    const { logger } = this.#options;
    const at = new Date();
    const key = keyOf(record);
    if (this.#stopped || at.getTime() - (this.#recent.get(key) ?? -Infinity) <= repeatMs) return;
    const namespace = namespaceOf(record);
    if (this.#queue.sizeOf(namespace) >= queueLimit) {
      if (this.#dropped++ === 0)
        logger.warn({ queueLimit, namespace }, 'too many events wait; dropping new ones');
      return;
    }
    this.#remember(key, at);
    this.#queue.push(namespace, { record, at });
    this.#writing ??= this.#writeAll();
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

  #remember(key: string, at: Date): void {
    this.#recent.delete(key);
    this.#recent.set(key, at.getTime());
    const [oldest = ''] = this.#recent.keys();
    if (this.#recent.size > recentLimit) this.#recent.delete(oldest);
  }

  async #writeAll(): Promise<void> {
    // Not in the call stack of `record`.
    await Promise.resolve();
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      await this.#writeWithRetries(next);
    }
    if (this.#dropped > 0) this.#options.logger.warn({ dropped: this.#dropped }, 'events were dropped');
    this.#dropped = 0;
    // In the same turn as the last check of the queue, or an event added in between would wait for the next.
    this.#writing = undefined;
  }

  async #writeWithRetries(waiting: Waiting): Promise<void> {
    const { client, logger } = this.#options;
    const { signal } = this.#abort;
    const { reason, regarding } = waiting.record;
    const path = resourcePath(eventType, { namespace: namespaceOf(waiting.record) });
    for (let attempt = 0; ; attempt++) {
      try {
        const body = this.#body(waiting);
        await client.request({ method: 'POST', path, body, signal, timeoutMs: 10_000 });
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!isTransient(error) || attempt + 1 >= writeAttempts) {
          logger.warn({ err: error, reason, regarding: regarding.name }, 'an event could not be written');
          return;
        }
        await sleep(backoffDelay(attempt, writeBackoff), signal).catch(() => {});
      }
    }
  }

  #body({ at, record }: Waiting): object {
    const { reportingController, reportingInstance } = this.#options;
    const { regarding, type, reason, action, note } = record;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: eventName(regarding.name), namespace: namespaceOf(record) },
      eventTime: microTime(at),
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
function namespaceOf({ regarding }: EventRecord): string {
  return regarding.namespace ?? 'default';
}

/** Identifies equal records. The resource version is not part of it: it changes with every write. */
function keyOf(record: EventRecord): string {
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
