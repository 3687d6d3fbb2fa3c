/** The state of a view of one ChaosDemo, and its update by inputs. Pure. */
import type { ChaosDemo } from '../../api/index.ts';
import type { RunEvidence } from '../../evidence/index.ts';

/** The fields of an event that a view shows. Its texts are raw. */
export interface LiveEvent {
  readonly uid: string;
  readonly atMs: number;
  readonly warning: boolean;
  readonly reason: string;
  readonly note: string;
}

/** The state of the connection to the API server; `sinceMs` by the clock of this machine. */
export type ConnectionState =
  | { readonly state: 'connecting' | 'connected' }
  | { readonly state: 'lost'; readonly sinceMs: number; readonly why: string };

/** An input of a view. */
export type LiveInput =
  | { readonly kind: 'object'; readonly demo: ChaosDemo }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'event'; readonly event: LiveEvent }
  /** Events, or evidence, are unavailable, and why. */
  | { readonly kind: 'no-events' | 'no-evidence'; readonly why: string }
  | { readonly kind: 'evidence'; readonly evidence: RunEvidence }
  | { readonly kind: 'connection'; readonly connection: ConnectionState };

/** A view depends only on this and the clock. */
export interface LiveState {
  readonly namespace: string;
  readonly name: string;
  readonly demo: ChaosDemo | undefined;
  readonly deleted: boolean;
  /** Oldest first. */
  readonly events: readonly LiveEvent[];
  readonly noEvents: string | undefined;
  readonly evidence: RunEvidence | undefined;
  readonly noEvidence: string | undefined;
  readonly connection: ConnectionState;
}

/** Maximum events kept: more than the tallest view shows. */
const MAX_EVENTS = 100;

/** Nothing is known yet. */
export function initialState(namespace: string, name: string): LiveState {
  return {
    namespace,
    name,
    demo: undefined,
    deleted: false,
    events: [],
    noEvents: undefined,
    evidence: undefined,
    noEvidence: undefined,
    connection: { state: 'connecting' },
  };
}

export function applyInput(state: LiveState, input: LiveInput): LiveState {
  switch (input.kind) {
    case 'object':
      return { ...state, demo: input.demo, deleted: false };
    case 'deleted':
      return { ...state, deleted: true };
    case 'event':
      return { ...state, events: withEvent(state.events, input.event), noEvents: undefined };
    case 'no-events':
      return { ...state, noEvents: input.why };
    case 'evidence':
      return { ...state, evidence: input.evidence, noEvidence: undefined };
    case 'no-evidence':
      return { ...state, noEvidence: input.why };
    case 'connection':
      break;
  }
  return { ...state, connection: input.connection };
}

/** The evidence of the run on display; evidence of an earlier run is ignored. */
export function currentEvidence({ demo, evidence }: LiveState): RunEvidence | undefined {
  const run = demo?.status?.run;
  const isOfRun = evidence?.run.number === run?.number && evidence?.demo.uid === demo?.metadata.uid;
  return run && isOfRun ? evidence : undefined;
}

function withEvent(events: readonly LiveEvent[], event: LiveEvent): readonly LiveEvent[] {
  const others = events.filter(({ uid }) => uid !== event.uid);
  return [...others, event].toSorted((a, b) => a.atMs - b.atMs).slice(-MAX_EVENTS);
}
