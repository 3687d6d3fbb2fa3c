/**
 * Replicas that all stop using the store at one moment, while it serves others: what they share has failed, and that is
 * the connections to the store. Pure.
 */
import { span } from '../../api/index.ts';
import { claim, type Finding, requests } from './finding.ts';
import { type Interval, idsOf, largest, type Measurements } from './measurements.ts';

/** For this long. Milliseconds. */
const LEAST_MS = 900;
/** Replicas do not notice at the same moment: one that queues its commands waits first. Milliseconds. */
const TOGETHER_MS = 1000;
/** Fewer requests of a replica show nothing. */
const LEAST_REQUESTS = 3;
/** Of what it was sent in that time, a replica that has stopped rejects less than this share. */
const MOST_REJECTED = 0.2;
/** A store that takes longer may be the cause itself. Milliseconds. */
const QUICK_MS = 200;

/**
 * A finding if each replica rejected requests before, and then, from about the same moment, only failed or admitted
 * them: more than the limit, if no request failed.
 */
export function unusedStore(measurements: Measurements, store: string): Finding | undefined {
  const { limit, replicas } = measurements;
  const gaps = replicas.map((replica) => withoutRejections(measurements, replica));
  if (gaps.length === 0 || !gaps.every((gap) => gap !== undefined)) return undefined;
  const begins = gaps.map((gap) => gap.from);
  const [from, to] = [Math.max(...begins), Math.min(...gaps.map((gap) => gap.to))];
  if (to - from < LEAST_MS || from - Math.min(...begins) > TOGETHER_MS) return undefined;
  if (replicas.some((replica) => measurements.of('unreachable', replica).some(({ at }) => at > from)))
    return undefined;
  const served = measurements.servedWithin(from, to) ?? [];
  const slowest = largest(served);
  if (!slowest || slowest.value > QUICK_MS) return undefined;
  const failed = replicas.map((replica) => grownOf(measurements, FAILED, replica, from, to));
  const admitted = replicas.map((replica) => measurements.grown('requests-admitted', replica, from, to));
  const all = admitted.reduce((sum, each) => sum + each, 0);
  const fails = failed.every((count) => count >= LEAST_REQUESTS);
  if (!fails && !(limit && all > limit.value && admitted.every((count) => count >= LEAST_REQUESTS)))
    return undefined;
  const shown = fails ? FAILED : (['requests-admitted'] as const);
  return {
    anomaly: 'store-connections-broken',
    component: store,
    action: 'wait',
    confidence: 0.7,
    onsetMs: from,
    chain: [
      ...claim(
        `From one moment on, every replica ${fails ? `failed requests (${failed.reduce((sum, each) => sum + each, 0)} in all)` : `admitted requests of callers that it had rejected before (${requests(all)} in all)`}, and none rejected any for ${span(to - from)}: what they share had failed.`,
        idsOf(replicas.flatMap((replica) => shown.map((signal) => measurements.last(signal, replica, to)))),
      ),
      ...claim(
        `${store} answered other clients within ${span(slowest.value)} in that time, so the replicas' connections to it had failed.`,
        idsOf(served),
      ),
      ...claim(
        'Before that, every replica rejected requests.',
        idsOf(gaps.flatMap(({ samples }) => samples)),
      ),
    ],
    consequences: [
      'uncoordinated-admission',
      'limit-not-enforced',
      'replica-cut-off',
      'replica-slow',
      'store-slow',
      'replica-unreachable',
      'unknown',
    ],
  };
}

const FAILED = ['requests-errors', 'requests-timeouts', 'others-errors', 'others-timeouts'] as const;

function grownOf(
  measurements: Measurements,
  signals: typeof FAILED,
  replica: string,
  from: number,
  to: number,
): number {
  return signals.reduce((sum, signal) => sum + Math.max(0, measurements.grown(signal, replica, from, to)), 0);
}

/** The longest interval after a rejection in which the replica rejected next to nothing of what it was sent. */
function withoutRejections(measurements: Measurements, replica: string): Interval | undefined {
  const rejected = measurements.of('requests-rejected', replica);
  let best: Interval | undefined;
  for (const [i, last] of rejected.entries()) {
    const next = rejected[i + 1];
    const to = next?.at ?? measurements.endMs;
    const sent = measurements.grown('requests-sent', replica, last.at, to);
    // A series that was thinned out has fewer samples than rejections.
    const few = (next?.value ?? last.value) - last.value - 1 <= MOST_REJECTED * sent;
    if (sent >= LEAST_REQUESTS && few && to - last.at > (best ? best.to - best.from : 0))
      best = { from: last.at, to, samples: [last] };
  }
  return best;
}
