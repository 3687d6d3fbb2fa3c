/** The limiters of the survey, by the names of their folders: descriptions that are read, as data is. */
import { readdirSync } from 'node:fs';
import type { SurveyedLimiter } from './limiter.ts';

const folder = new URL('../limiters/', import.meta.url);

/** Names of all, in the order of the alphabet. */
export function limiterNames(): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** The description of one. Throws where there is none of that name. */
export async function loadLimiter(name: string): Promise<SurveyedLimiter> {
  const names = limiterNames();
  if (!names.includes(name))
    throw new Error(`There is no limiter "${name}" in the survey; there are ${names.join(', ')}`);
  const module = (await import(new URL(`${name}/limiter.ts`, folder).href)) as { limiter: SurveyedLimiter };
  return module.limiter;
}
