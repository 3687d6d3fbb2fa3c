/** The files of results of a survey, one for each fault, and the page made of them. */
import { join } from 'node:path';
import { pageOf } from './page.ts';
import { readResults } from './results.ts';
import { SURVEYED_FAULTS, type SurveyedFault } from './runner/demo.ts';

export function resultsOf(folder: string, fault: SurveyedFault): string {
  return join(folder, fault === 'Stall' ? 'survey.json' : `survey-${fault.toLowerCase()}.json`);
}

export async function pageOfResults(folder: string): Promise<string> {
  const read = SURVEYED_FAULTS.map(
    async (fault) => [fault, await readResults(resultsOf(folder, fault))] as const,
  );
  const { Stall = [], ...others } = Object.fromEntries(await Promise.all(read));
  return await pageOf(Stall, new Map(Object.entries(others) as [SurveyedFault, typeof Stall][]));
}
