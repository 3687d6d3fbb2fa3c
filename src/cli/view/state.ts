/** The state of a view of one ChaosDemo, and its update by inputs. Pure. */
import type { ChaosDemo } from '../../api/index.ts';
import type { RunEvidence } from '../../evidence/index.ts';

/** The state of the connection to the API server; `sinceMs` by the clock of this machine. */
export type ConnectionState =
  | { readonly state: 'connecting' | 'connected' }
  | { readonly state: 'lost'; readonly sinceMs: number; readonly why: string };

/** An input of a view. */
export type LiveInput =
  | { readonly kind: 'object'; readonly demo: ChaosDemo }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'evidence'; readonly evidence: RunEvidence }
  /** The evidence is unavailable, and why. */
  | { readonly kind: 'no-evidence'; readonly why: string }
  | { readonly kind: 'connection'; readonly connection: ConnectionState };

/** A view depends only on this and the clock. */
export interface LiveState {
  readonly namespace: string;
  readonly name: string;
  readonly demo: ChaosDemo | undefined;
  readonly deleted: boolean;
  readonly evidence: RunEvidence | undefined;
  readonly noEvidence: string | undefined;
  readonly connection: ConnectionState;
}

/** Nothing is known yet. */
export function initialState(namespace: string, name: string): LiveState {
  return {
    namespace,
    name,
    demo: undefined,
    deleted: false,
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
