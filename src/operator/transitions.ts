/**
 * Tells the world of a stored status: one log line, the events and the counts
 * for what has changed since the one before.
 */
import type { ChaosDemo, ChaosDemoStatus } from '../api/index.ts';
import { API_VERSION, KIND } from '../api/index.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { Logger } from '../kube/kube-types.ts';
import { eventsFor } from './event-notes.ts';
import type { OperatorMetrics } from './metrics.ts';

export interface Audience {
  events: Pick<EventRecorder, 'record'>;
  metrics: OperatorMetrics;
}

/** Tells what changed from `before` to `after`, the status of `demo` as stored. */
export function tell(
  { events, metrics }: Audience,
  logger: Logger,
  demo: ChaosDemo,
  before: ChaosDemoStatus | undefined,
  after: ChaosDemoStatus,
): void {
  const { name, namespace, resourceVersion, uid } = demo.metadata;
  const regarding = { apiVersion: API_VERSION, kind: KIND, name, namespace, uid, resourceVersion };
  for (const note of eventsFor(before, after)) events.record({ regarding, ...note });
  logChange(logger, before, after);
  count(metrics, before, after);
}

function logChange(logger: Logger, before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): void {
  const { chapter, expected, message, phase, run } = after;
  const same = before?.chapter === chapter && before?.phase === phase && before?.message === message;
  if (same) return;
  const line = { run: run?.number, chapter, phase, expected };
  if (phase === 'Errored' || phase === 'Failed') logger.warn(line, message ?? '');
  else logger.info(line, message ?? '');
}

function count(metrics: OperatorMetrics, before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): void {
  const sameRun = before?.run?.number === after.run?.number;
  for (const { fault, name, type } of after.scenarios ?? []) {
    const known = sameRun ? before?.scenarios?.find((entry) => entry.name === name)?.fault : undefined;
    const earlier = known?.id === fault?.id ? known : undefined;
    const kind = type === 'CounterDrift' ? 'CounterDrift' : 'GhostAllowing';
    if (fault?.startedAt && !earlier?.startedAt) metrics.faultInjected(kind);
    if (fault?.endedAt && !earlier?.endedAt) metrics.faultReleased(kind);
  }
  const { verdict } = after.run ?? {};
  if (verdict && !(sameRun && before?.run?.verdict)) {
    metrics.runEnded(verdict.reason === 'Superseded' ? 'Superseded' : verdict.phase);
  }
}
