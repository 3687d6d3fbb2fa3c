/** Formats figures for sentences. */
import { counted } from '../../api/index.ts';

/** "pod-1 10, pod-2 10": counts by pod. */
export function perPod(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([pod, count]) => `${pod} ${count}`).join(', ');
}

export function sumOf(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

/** ">= " before a figure that could not have come out higher; else ''. */
export function atLeast({ atLeast: saturated }: { readonly atLeast?: boolean | undefined }): string {
  return saturated ? '>= ' : '';
}

/** "+1.20 s": a moment relative to the start of the fault; '' if that is unknown. */
export function sinceStart(at: number, startedAt: number | undefined): string {
  if (startedAt === undefined) return '';
  const seconds = (at - startedAt) / 1000;
  return `${seconds < 0 ? '-' : '+'}${Math.abs(seconds).toFixed(2)} s`;
}

/** The shortfall if this many requests were left out, with what to do. */
export function leftOutShortfall(requests: number): string {
  return `some of the traffic was left out (${counted(requests, 'request')}): this run had 1000 requests open, or the runs of its namespace, or of others, left no connection or no memory for an answer. Run fewer at once, or lower the rate or the time that an answer may take`;
}

/** The shortfall if a history holds less than was observed. */
export function droppedShortfall(events: number): string {
  return `the history was full and lacks ${counted(events, 'event')}`;
}
