/** Formats figures for sentences, and puts codes of findings into words. */

import { listed } from '@chaosdemo/redis-faults/text';
import { counted } from '../../api/index.ts';
import type { Code, CodeOf } from '../checkers/checker.ts';
import type { price } from '../checkers/price.ts';
import type { proof, record } from '../checkers/record.ts';
import type { Counts } from '../checkers/requests.ts';
import type { pods } from '../checkers/seen.ts';
import { leftOutShortfall } from '../http/failure.ts';

/** The words of a scenario for each code that its checkers find. */
export type Words<C extends Code> = {
  readonly [K in C['code']]: (figures: Extract<C, { readonly code: K }>) => string;
};

type CommonCode =
  | CodeOf<typeof pods | typeof price | typeof proof | typeof record>
  | (Code & { readonly code: 'CheckerFailed'; readonly message: string });

/** Words for what checkers of all scenarios find. */
export const COMMON: Words<CommonCode> = {
  CheckerFailed: ({ message }) => `a checker of the operator failed: ${message}`,
  EventsDropped: ({ events }) => `the history was full and lacks ${counted(events, 'event')}`,
  LeftOut: ({ requests }) => leftOutShortfall(requests),
  StoreDoubt: ({ why }) => why,
  FaultUnproven: () => 'the fault is not proven',
  EndUnseen: () => 'the end of the fault was not seen',
  EndedEarly: ({ ms }) => `the fault ended ${Math.round(ms)} ms before its time`,
  NoPodLeft: () => 'no pod was there to the end',
  PodsGone: ({ pods }) => `${goneText(pods)}, and what callers did not get there may be of that`,
  PodsLeftOut: ({ pods }) => `${goneText(pods)}: what else happened there is left out`,
  PodsRestarted: ({ pods }) =>
    `${listed(pods)} restarted during the fault: what callers got there counts, too`,
  Price: ({ bytes, open }) =>
    `Redis had at most ${open.during} connections during the fault, and ${open.before} before it (${timesText(open)}); its memory was ${megabytes(bytes.during)} MB, and ${megabytes(bytes.before)} before (${timesText(bytes)})`,
  ConnectionsGrow: () =>
    'The connections to Redis grew as long as the fault lasted: bound the connections of each pod',
  FaultDoubtful: ({ ms }) =>
    `whether the fault was still active is not known from ${Math.round(ms)} ms before its planned end on`,
};

function timesText({ before, during }: { readonly before: number; readonly during: number }): string {
  return `${(during / Math.max(1, before)).toFixed(1)} times`;
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}

function goneText(pods: readonly string[]): string {
  return `${listed(pods)} deleted or replaced during the watch`;
}

export function wording<C extends Code>(words: Words<C>): (found: Code) => string {
  const all = new Map<string, (figures: never) => string>(Object.entries(words));
  return (found) => all.get(found.code)?.(found as never) ?? found.code;
}

/** The admissions, then the other outcomes that occurred. */
export function countsText(counts: Counts): string {
  const rest = { rejected: counts.Rejected, failed: counts.Error, timeouts: counts.Timeout };
  return [
    `${counts.Admitted} admitted`,
    ...Object.entries(rest).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : [])),
  ].join(', ');
}

/** "pod-1 10, pod-2 10": counts by pod. */
export function perPod(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([pod, count]) => `${pod} ${count}`).join(', ');
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
