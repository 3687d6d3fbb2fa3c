/** Which requests of a history a limiter owed their callers. Pure. */
import type { CallerRequest } from '../../history/events.ts';
import { owedOf } from '../limits/least-owed.ts';
import type { RateLimit } from '../limits/rate-limit.ts';

/**
 * The requests that the limiter still owed their callers when they sent them.
 * @param requests all of a population
 * @param settledAt until when a request may be counted of which the caller got no admission and no rejection
 */
export function owedIn(
  { limit }: { readonly limit: RateLimit },
  requests: readonly CallerRequest[],
  settledAt: number,
): ReadonlySet<CallerRequest> {
  const sent = requests.map((request) => {
    const { endedAt, late, outcome, sentAt } = request;
    const isRejected = outcome === 'Rejected';
    const isOpen = outcome !== 'Admitted' && !isRejected && sentAt < settledAt;
    const countedBy = Math.max(isOpen ? settledAt : endedAt, late?.at ?? 0);
    return { request, sentAt, endedAt, countedBy, isRejected };
  });
  const byKey = Map.groupBy(sent, ({ request }) => request.key);
  return new Set([...byKey.values()].flatMap((own) => [...owedOf(limit, own)].map(({ request }) => request)));
}
