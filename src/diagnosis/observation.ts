/** A bundle read as a timeline of plain observations, each in words. Pure. */
import type { EvidenceBundle, Signal } from '../evidence/index.ts';

export interface Observation {
  /** Milliseconds since the origin of the bundle; may be negative. */
  readonly atMs: number;
  /** Name of one of the components of the bundle. */
  readonly component: string;
  readonly signal: Signal;
  /** What it means depends on the signal. */
  readonly value: number;
  /** The observation in words, for people. */
  readonly text: string;
}

const TEXTS: Readonly<Record<Signal, (value: number) => string>> = {
  'write-latency': (value) => `a write was accepted after ${value.toFixed(1)} ms`,
  'write-outstanding': (value) => `a write has been unanswered for ${Math.round(value)} ms`,
  'read-latency': (value) => `a read was answered within ${value.toFixed(1)} ms`,
  unreachable: (value) => `no answer of any kind for ${Math.round(value)} ms`,
  'count-local': (value) => `says it has admitted ${value}`,
  'count-stored': (value) => `holds ${value} ${value === 1 ? 'count' : 'counts'} of all replicas`,
  'count-lag': (value) => `while all was well it was at most ${value} behind the replicas`,
  'requests-sent': (value) => `requests sent to it so far: ${value}`,
  'requests-allowed': (value) => `requests allowed by it so far: ${value}`,
  'requests-denied': (value) => `requests denied by it so far: ${value}`,
  'requests-failed': (value) => `requests it has answered with an error so far: ${value}`,
  'requests-unanswered': (value) => `requests it has not answered in time so far: ${value}`,
  'others-sent': (value) => `requests of other callers sent to it so far: ${value}`,
  'others-allowed': (value) => `requests of other callers allowed by it so far: ${value}`,
  'others-denied': (value) => `requests of other callers denied by it so far: ${value}`,
  'others-failed': (value) => `requests of other callers it has answered with an error so far: ${value}`,
  'others-unanswered': (value) => `requests of other callers it has not answered in time so far: ${value}`,
  'request-latency': (value) => `a request was answered within ${value.toFixed(1)} ms`,
  arrivals: (value) => `requests written to it so far: ${value}`,
  limit: (value) => `all replicas together may allow ${value} requests`,
};

/** The points of all series, in order of time. */
export function observationsOf({ series }: EvidenceBundle): Observation[] {
  return series
    .flatMap(({ component, points, signal }) =>
      points.map(([atMs, value]) => ({ atMs, component, signal, value, text: TEXTS[signal](value) })),
    )
    .sort((a, b) => a.atMs - b.atMs);
}

/** An observation as a line of evidence: "+1.2 s store: a write has been unanswered for 150 ms". */
export function cite(observation: Observation): string {
  const seconds = observation.atMs / 1000;
  return `${seconds < 0 ? '-' : '+'}${Math.abs(seconds).toFixed(2)} s ${observation.component}: ${observation.text}`;
}
