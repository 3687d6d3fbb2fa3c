/** Formats figures for sentences, and puts codes of findings into words. */

import { listed } from '@chaosdemo/redis-faults/text';
import { counted } from '../../api/index.ts';
import type { Code, CodeOf } from '../checkers/checker.ts';
import type { Priced, price } from '../checkers/price.ts';
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
  PodsGone: ({ pods }) => `${goneText(pods)}, and failures there may be due to that`,
  PodsLeftOut: ({ pods }) => `${goneText(pods)}: what else happened there is left out`,
  PodsRestarted: ({ pods }) => `${listed(pods)} restarted during the fault. Outcomes there count, too`,
  Price: ({ shown }) => `At most in the fault, and before it: ${shown.map(pricedText).join('; ')}`,
  Grows: ({ of, who }) =>
    `The ${of} of ${listed(who)} grew as long as the fault lasted: bound the connections of each pod, and what waits for Redis`,
  OverPrice: ({ bound, of, value }) => `${of} ${value}% > ${bound}%`,
  PriceUnknown: ({ of, unknown }) =>
    `the ${of} of ${listed(unknown)} is not known before and in the fault: lengthen it, or leave price.${of} out`,
  FaultDoubtful: ({ ms }) =>
    `whether the fault was still active is not known from ${Math.round(ms)} ms before its planned end on`,
};

/** "memory of api-0 80.0 MB and 40.0 MB (2.0 times)" */
function pricedText({ before, during, of, times, who }: Priced): string {
  const shown = (value: number): string => (of === 'memory' ? `${(value / 1e6).toFixed(1)} MB` : `${value}`);
  return `${of} of ${who} ${shown(during)} and ${shown(before)} (${times.toFixed(1)} times)`;
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
