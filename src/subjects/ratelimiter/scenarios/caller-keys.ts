/** Keys of the callers of one attempt; all begin with its fixture, which belongs to the demo. */
export const overKey = (fixture: string): string => `${fixture}-b`;

/** The caller that is first seen in the fault, and crosses its limit there. */
export const newKey = (fixture: string): string => `${fixture}-r`;

/** Callers that have one request left when the fault begins, and cross their limits there. */
export const crossingKey = (fixture: string, index: number): string => `${fixture}-c${index}`;

/** This many callers under their limit, numbered from `first`. */
export function* underKeys(fixture: string, first: number, count: number): Generator<string> {
  for (let i = first; i < first + count; i += 1) yield `${fixture}-w${i}`;
}

/** The callers whose counts are reconciled after the fault, one for each pod. */
export const accountKey = (fixture: string, pod: number): string => `${fixture}-a${pod}`;

/** The key of each trial of bursts; the first is the fixture itself. */
export function trialKeys(fixture: string, trials: number): string[] {
  return Array.from({ length: trials }, (_, i) => (i === 0 ? fixture : `${fixture}-trial-${i + 1}`));
}
