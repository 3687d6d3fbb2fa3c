/** Names of the callers of one attempt; all begin with its fixture, which is the demo's own. */
export const overKey = (fixture: string): string => `${fixture}-b`;

/** The caller that is first seen in the fault, and crosses its limit there. */
export const newKey = (fixture: string): string => `${fixture}-r`;

/** Callers that have one request left when the fault begins, and cross their limits there. */
export const crossingKey = (fixture: string, index: number): string => `${fixture}-c${index}`;

/** So many callers within their limit, the first of them with this number. */
export function* underKeys(fixture: string, first: number, count: number): Generator<string> {
  for (let i = first; i < first + count; i += 1) yield `${fixture}-w${i}`;
}

/** The caller whose accounts are made up after the fault, one for each node. */
export const accountKey = (fixture: string, node: number): string => `${fixture}-a${node}`;
