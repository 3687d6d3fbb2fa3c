/** Which requests are within the limit where all of them are of one caller. Pure. */
import type { CallerRequest } from '../../interfaces/caller-request.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import type { OutageSettings } from './behaviour.ts';

/**
 * The requests, those since `oneLimitFrom` by their turn: as many as the limit admits at once are within it, whatever
 * became of them, for a limiter may have counted also what it denied or did not answer. All others are beyond it. Those
 * before, and all where there is no such moment, stay as they are.
 */
export function asOfOneLimit(
  { limit, oneLimitFrom }: Pick<OutageSettings, 'limit' | 'oneLimitFrom'>,
  requests: readonly CallerRequest[],
): readonly CallerRequest[] {
  if (oneLimitFrom === undefined) return requests;
  const full = admittedAtOnce(limit);
  const before = requests.filter(({ sentAt }) => sentAt < oneLimitFrom);
  const since = requests
    .filter(({ sentAt }) => sentAt >= oneLimitFrom)
    .toSorted((a, b) => a.sentAt - b.sentAt)
    .map((request, i): CallerRequest => ({ ...request, caller: i < full ? 'Within' : 'Beyond' }));
  return [...before, ...since];
}
