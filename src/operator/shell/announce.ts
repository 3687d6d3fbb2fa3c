/** Announces a stored status: one log line, and the events and counts for its changes. */

import type { EventRecorder } from '@chaosdemo/kube-runtime';
import type { ChaosDemo, ChaosDemoStatus } from '../../api/index.ts';
import { API_VERSION, KIND, printable } from '../../api/index.ts';
import { isRunActive } from '../../engine/fault-times.ts';
import { iso } from '../../engine/time.ts';
import { type Logger, loggerFor } from '../log.ts';
import type { OperatorMetrics } from '../metrics/metrics.ts';
import { type EventNote, eventsFor } from './event-notes.ts';

export interface Recorders {
  events: Pick<EventRecorder, 'record'>;
  metrics: OperatorMetrics;
}

/** Announces what changed from `before` to the status of `demo`, as stored. */
export function announceChange(
  { events, metrics }: Recorders,
  logger: Logger,
  demo: ChaosDemo,
  before: ChaosDemoStatus | undefined,
): void {
  const after = demo.status ?? {};
  recordEvents(events, demo, eventsFor(before, after));
  logChange(loggerFor(logger, demo), before, after);
  metrics.runChanged(before, after);
}

/** Announces the end of the run of a deleted object, which no status reports; does nothing if no run is active. */
export function announceDeletion(
  recorders: Recorders,
  logger: Logger,
  { status: before, ...demo }: ChaosDemo,
  now: number,
): void {
  if (!before?.run || !isRunActive(before)) return;
  const run = { ...before.run, completedAt: iso(now), phase: 'Aborted', reason: 'Deleted' } as const;
  const status = { ...before, phase: run.phase, message: 'the object was deleted', run };
  announceChange(recorders, logger, { ...demo, status }, before);
}

/** Reports that the evidence of a run is not stored, or not completely, and why. */
export function announceEvidenceLoss({ events }: Recorders, demo: ChaosDemo, message: string): void {
  const note = `The evidence of run ${demo.status?.run?.number ?? 0} is not kept, or not all of it: ${message}`;
  recordEvents(events, demo, [{ type: 'Warning', reason: 'EvidenceNotKept', action: 'KeepEvidence', note }]);
}

function recordEvents(events: Recorders['events'], demo: ChaosDemo, notes: EventNote[]): void {
  const { name, namespace, resourceVersion, uid } = demo.metadata;
  const regarding = { apiVersion: API_VERSION, kind: KIND, name, namespace, uid, resourceVersion };
  for (const note of notes) {
    events.record({ regarding, ...note, note: printable(note.note) });
  }
}

function logChange(logger: Logger, before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): void {
  const { chapter, message, phase, result } = after;
  const same = before?.chapter === chapter && before?.phase === phase && before?.message === message;
  if (same) return;
  const line = { phase, result };
  if (phase === 'Errored' || phase === 'Failed') logger.warn(line, message ?? '');
  else logger.info(line, message ?? '');
}
