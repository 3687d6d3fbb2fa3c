/** The operator does not turn in circles: so many status writes and requests at most in a second. */
import type { Seen, Wrong } from './seen.ts';

/** A run that leaves chapter after chapter at once writes some ten; a loop writes as often as it is answered. */
const VERSIONS_A_SECOND = 20;
/** By one operator, for all lanes, of which each sends some ten when its run begins. */
const REQUESTS_A_SECOND = 120;

export function checkPace({ lane, record }: Seen): Wrong[] {
  const wrong: Wrong[] = [];
  const versions = busiestSecond(record.of('version', lane).map(({ at }) => at));
  if (versions.count > VERSIONS_A_SECOND) {
    const message = `the object was written ${versions.count} times within a second`;
    wrong.push({ check: 'hot loop', lane, at: versions.from, message });
  }
  const requests = Map.groupBy(record.of('request'), ({ replica }) => replica);
  for (const [replica, sent] of requests) {
    const { count, from } = busiestSecond(sent.map(({ at }) => at));
    if (count <= REQUESTS_A_SECOND) continue;
    const message = `${replica} sent ${count} requests to the API server within a second`;
    wrong.push({ check: 'hot loop', lane, at: from, message });
  }
  return wrong;
}

/** The second in which most of these moments lie. Pure. */
export function busiestSecond(moments: readonly number[]): { count: number; from: number } {
  let most = { count: 0, from: 0 };
  let first = 0;
  for (let last = 0; last < moments.length; last += 1) {
    while ((moments[last] ?? 0) - (moments[first] ?? 0) >= 1000) first += 1;
    if (last - first + 1 > most.count) most = { count: last - first + 1, from: moments[first] ?? 0 };
  }
  return most;
}
