/** Names of the callers of one attempt; all begin with its fixture, which is the demo's own. */
export const beyondKey = (fixture: string): string => `${fixture}-b`;

/** As many as are asked for. */
export function* withinKeys(fixture: string): Generator<string> {
  for (let i = 0; ; i += 1) yield `${fixture}-w${i}`;
}

/** The caller whose accounts are made up after the fault, one for each node. */
export const accountKey = (fixture: string, node: number): string => `${fixture}-a${node}`;
