/** The requests and the steps of a history, as the checkers of a scenario share them. Pure. */
import type { CallerRequest, EventOf, HistoryEvent } from '../history/events.ts';
import { NOTHING_RECORDED, type Recorded, recorded } from '../history/recorded.ts';
import { code } from './checker.ts';
import type { RecordSetup } from './record.ts';

/** Events of which only the last counts. */
const LAST = ['ended', 'restarted', 'return', 'traffic-ended'] as const;
type Last = (typeof LAST)[number];
const STEPS: ReadonlySet<string> = new Set(LAST);

/** How much was in use at a moment; memory in bytes. */
export interface Usage {
  readonly of: 'connections' | 'memory' | 'open requests';
  /** "Redis", "callers", or the name of a pod. */
  readonly who: string;
  readonly at: number;
  readonly value: number;
}

export interface Seen<S extends RecordSetup = RecordSetup> extends Recorded {
  readonly setup: S;
  /** In the order in which they ended. */
  readonly requests: CallerRequest[];
  /** What was taken of Redis and of each pod, in the order of time. */
  readonly usage: Usage[];
  readonly last: { readonly [K in Last]?: EventOf<K> };
}

function seenBy<S extends RecordSetup>(setup: S): Seen<S> {
  return { setup, requests: [], usage: [], last: {}, ...NOTHING_RECORDED };
}

/** What was seen with one more event; uses `seen` up. */
function seenAfter<A extends Seen>(seen: A, event: HistoryEvent): A {
  if (event.kind === 'request') {
    seen.requests.push(event);
    return { ...seen };
  }
  if (event.kind === 'probe') {
    const { at, bytes, open } = event;
    const of = { who: 'Redis', at };
    if (open !== undefined) seen.usage.push({ ...of, of: 'connections', value: open });
    if (bytes !== undefined) seen.usage.push({ ...of, of: 'memory', value: bytes });
    // What was found of the requests stays valid.
    return seen;
  }
  if (event.kind === 'memory') {
    const own = Object.entries(event.pods).filter(([pod]) => seen.setup.pods.includes(pod));
    seen.usage.push(...own.map(([who, { at, bytes }]) => ({ of: 'memory' as const, who, at, value: bytes })));
    return seen;
  }
  if (event.kind === 'late') {
    const request = seen.requests[event.id];
    if (request) seen.requests[event.id] = { ...request, late: event };
    return { ...seen };
  }
  return STEPS.has(event.kind)
    ? { ...seen, last: { ...seen.last, [event.kind]: event } }
    : recorded(seen, event);
}

export const seenFold = { init: seenBy, step: seenAfter };

/** When the last request of the traffic was answered; undefined: some are not answered yet, so nothing is proven. */
export function finishedAt({ last }: Seen): number | undefined {
  return last.ended?.at ?? last['traffic-ended']?.at;
}

/** Pods that were deleted or replaced during the watch: failures of their callers are not due to the fault. */
export function goneOf({ last, setup }: Seen): ReadonlySet<string> {
  return new Set(last['traffic-ended']?.moved.filter((name) => setup.pods.includes(name)));
}

/** Pods that were restarted in the fault. All that callers got there counts: the fault may have caused it. */
export function restartedOf({ last }: Seen): ReadonlySet<string> {
  return new Set(last.restarted?.pods);
}

/** Pods were there from start to end. */
function podsIn(seen: Seen) {
  const [gone, restarted] = [[...goneOf(seen)], [...restartedOf(seen)]];
  return {
    unproven: [seen.setup.pods.length === gone.length && code('NoPodLeft')],
    missing: [gone.length > 0 && code('PodsGone', { pods: gone })],
    byPod: [
      restarted.length > 0 && code('PodsRestarted', { pods: restarted }),
      gone.length > 0 && code('PodsLeftOut', { pods: gone }),
    ],
  };
}

export const pods = { name: 'pods', finding: podsIn };
