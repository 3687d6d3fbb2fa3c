/**
 * What a diagnosis starts from: a timeline of plain observations about named
 * components. Nothing here says what kind of system they belong to, so that an
 * explanation has to come from what was seen, not from knowing the answer.
 */

/**
 * What a component is to the others: one of several equal replicas, a store
 * that they share, or the sender of the requests.
 */
export type ComponentRole = 'replica' | 'store' | 'client';

export interface Component {
  name: string;
  role: ComponentRole;
}

/** What was seen, with the meaning of `value` and the components that have it. */
export const SIGNALS = {
  'write-accepted': 'store: a write was accepted; value: milliseconds it took',
  'write-outstanding': 'store: a write was sent and is not answered; value: milliseconds waited so far',
  'read-answered': 'store: a read was answered; value: milliseconds it took',
  unreachable: 'store, replica: no answer of any kind; value: milliseconds waited',
  'count-local': 'replica: what it says it has admitted so far; value: the count',
  'count-stored': 'store: what the replicas have counted there so far, all together; value: the count',
  'count-lag': 'store: the furthest its count lay behind the replicas without any fault; value: the count',
  'requests-sent': 'replica: requests sent to it so far; value: the number',
  'requests-allowed': 'replica: requests it answered with yes so far; value: the number',
  'requests-unanswered': 'replica: requests it has not answered in time so far; value: the number',
  limit: 'client: how many requests all replicas together may allow; value: the number',
} as const;

export type Signal = keyof typeof SIGNALS;

export interface Observation {
  /** Milliseconds since the start of the timeline; may be negative. */
  atMs: number;
  /** Name of one of the components of the request. */
  component: string;
  signal: Signal;
  /** What it means depends on the signal: see {@link SIGNALS}. */
  value: number;
  /** The observation in words, for people and for models. */
  text: string;
}

/** An observation as a line of evidence: "+1.2 s store: a write is unanswered since 150 ms". */
export function cite(observation: Observation): string {
  const seconds = observation.atMs / 1000;
  return `${seconds < 0 ? '-' : '+'}${Math.abs(seconds).toFixed(2)} s ${observation.component}: ${observation.text}`;
}
