/** Keys of the callers of one attempt; all begin with its fixture, which belongs to the demo. */

/** Callers that are drawn before the fault, see `population.ts`. */
export const residentKey = (fixture: string, index: number): string => `${fixture}-c${index}`;

/** The caller that exhausted its limit before the fault, or the one that makes all requests. */
export const overKey = (fixture: string): string => residentKey(fixture, 0);

/** The caller that is first seen in the fault, and crosses its limit there. */
export const newKey = (fixture: string): string => residentKey(fixture, 2);

/** Callers that come one after the other, and stay within their limits. */
export const newcomerKey = (fixture: string, index: number): string => `${fixture}-w${index}`;

export const isNewcomer = (fixture: string, key: string): boolean => key.startsWith(`${fixture}-w`);

/** Callers that use their limits up once the limiter has recovered, and ask until these return: that shows how it counts. */
export const askingKey = (fixture: string, index: number): string => `${fixture}-a${index}`;

export const isAsking = (fixture: string, key: string): boolean => key.startsWith(`${fixture}-a`);

/** The key of each trial of bursts; the first is the fixture itself. */
export function trialKeys(fixture: string, trials: number): string[] {
  return Array.from({ length: trials }, (_, i) => (i === 0 ? fixture : `${fixture}-trial-${i + 1}`));
}
