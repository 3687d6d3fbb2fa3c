/**
 * Replicas that all become slow at one moment, by about the same time, while the store answers others at once: the way
 * to it has become slow. Pure.
 */
import { span } from '../../api/index.ts';
import { claim, type Finding } from './finding.ts';
import {
  type Interval,
  idsOf,
  largest,
  type Measurements,
  quantile,
  sustainedAbove,
} from './measurements.ts';

/** Answers that take no longer are quick, and so are those within this multiple of the usual. */
const SLOW_MS = 40;
const SLOW_FACTOR = 5;
/** For this long, and for this share of the answers. */
const LEAST_MS = 900;
const SLOW_SHARE = 0.9;
/** Replicas are sent requests at different moments. Milliseconds. */
const TOGETHER_MS = 1000;
/** A delay on one way adds the same to every answer, so the quickest tenth takes at least this share of the median. */
const STEADY = 0.5;
/** The store answers others within this share of what replicas take. */
const STORE_QUICK = 0.25;

/** A finding if every replica answered slowly for the same time, and the store did not. */
export function slowConnections(measurements: Measurements, store: string): Finding | undefined {
  const { replicas } = measurements;
  const intervals = replicas.map((replica) => slowAnswers(measurements, replica));
  if (intervals.length === 0 || !intervals.every((interval) => interval !== undefined)) return undefined;
  const begins = intervals.map((interval) => interval.from);
  const [from, to] = [Math.max(...begins), Math.min(...intervals.map((interval) => interval.to))];
  if (to - from < LEAST_MS || from - Math.min(...begins) > TOGETHER_MS) return undefined;
  const medians = intervals.map(({ samples }) => quantile(samples, 0.5));
  const [least, most] = [Math.min(...medians), Math.max(...medians)];
  const served = measurements.servedWithin(from, to) ?? [];
  const slowest = largest(served);
  if (!slowest || slowest.value > STORE_QUICK * least || least < STEADY * most) return undefined;
  return {
    anomaly: 'store-slow',
    component: store,
    action: 'wait',
    confidence: 0.65,
    onsetMs: Math.min(...begins),
    chain: [
      ...claim(
        `From one moment on, every replica took ${span(least)} to ${span(most)} for an answer (median) for ${span(to - from)}: what they share had become slow.`,
        idsOf(intervals.flatMap(({ samples }) => samples)),
      ),
      ...claim(
        `${store} answered other clients within ${span(slowest.value)} in that time, so the way from the replicas to it had become slow.`,
        idsOf(served),
      ),
    ],
    consequences: ['replica-slow', 'replica-cut-off', 'uncoordinated-admission', 'unknown'],
  };
}

function slowAnswers(measurements: Measurements, replica: string): Interval | undefined {
  const answers = measurements.of('request-latency', replica);
  const threshold = Math.max(SLOW_MS, SLOW_FACTOR * quantile(answers, 0.1));
  const interval = sustainedAbove(answers, threshold, LEAST_MS, SLOW_SHARE);
  if (!interval) return undefined;
  const { samples } = interval;
  const isSteady = quantile(samples, 0.1) >= STEADY * quantile(samples, 0.5);
  return isSteady ? interval : undefined;
}
