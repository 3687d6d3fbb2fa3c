/** What may be done to a run, and when. */

/** A moment in the life of a fault, and of its run, as it is seen from outside the operator. */
export const BOUNDARIES = {
  announce: 'the status that announces a fault',
  pause: 'CLIENT PAUSE or SENTINEL FAILOVER',
  burst: 'the first request of a burst',
  proof: 'the status that reports an injected fault',
  verdict: 'the status with the verdict',
} as const;

export type Boundary = keyof typeof BOUNDARIES;

/** When a step is taken: so long after the object was applied, or when something passes a proxy. */
export type When =
  | { readonly afterMs: number }
  /** `passed`: it was passed on, and its answer is held back while the step begins. Otherwise before it is passed on. */
  | { readonly boundary: Boundary; readonly passed: boolean };

/** What is done to a process, to what goes over a connection, or by a person. */
export type Action =
  | { readonly to: 'operator'; readonly which: Replica; readonly what: OperatorFault }
  | { readonly to: 'node'; readonly node: number; readonly what: 'kill' | 'freeze' }
  | { readonly to: 'redis'; readonly what: 'kill' | 'freeze' }
  | { readonly to: 'api-server'; readonly what: 'kill' }
  | { readonly to: 'api'; readonly which: Replica; readonly what: ApiFault }
  | { readonly to: 'fault-proxy'; readonly what: 'kill' }
  | { readonly to: 'redis-link'; readonly what: LinkFault }
  | { readonly to: 'node-link'; readonly node: number; readonly what: LinkFault }
  | { readonly to: 'object'; readonly what: 'abort' | 'delete' };

/** The last two: of one of its threads of runs. */
export type OperatorFault = 'kill' | 'freeze' | 'restart' | 'killCell' | 'freezeCell';

/** By what they are at the moment of the step. */
export type Replica = 'leader' | 'standby' | 'both';

/** What happens between operator and API server. */
export const API_FAULTS = ['delay', 'cut', 'stall', '409', '410', '429', '500', '503', 'stale'] as const;
export type ApiFault = (typeof API_FAULTS)[number];

/** What happens between operator and Redis or a node. `hold`: requests are passed on, answers held back. */
export const LINK_FAULTS = ['delay', 'cut', 'stall', 'hold'] as const;
export type LinkFault = (typeof LINK_FAULTS)[number];

export interface Step {
  /** From 0. */
  readonly lane: number;
  readonly when: When;
  readonly action: Action;
  /** How long it lasts; milliseconds. */
  readonly forMs: number;
}

/** "lane 1 at CLIENT PAUSE, passed on: operator leader kill for 512 ms". */
export function lineOf({ lane, when, action, forMs }: Step): string {
  const at =
    'afterMs' in when
      ? `after ${when.afterMs} ms`
      : `at ${BOUNDARIES[when.boundary]}, ${when.passed ? 'passed on' : 'not passed on yet'}`;
  return `lane ${lane} ${at}: ${nameOf(action)}${forMs > 0 ? ` for ${forMs} ms` : ''}`;
}

/** "operator kill": what disturbances are counted by. */
export function kindOf({ to, what }: Action): string {
  return `${to} ${what}`;
}

function nameOf(action: Action): string {
  const which = 'which' in action ? ` ${action.which}` : 'node' in action ? ` ${action.node}` : '';
  return `${action.to}${which} ${action.what}`;
}
