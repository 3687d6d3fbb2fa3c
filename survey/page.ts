/** The page of the survey, made of its results. */
import { loadLimiter } from './limiters.ts';
import { CONFIGURED, type Surveyed } from './survey-variant.ts';

const head = (command: string): string => `# Survey of rate limiters

What callers of real, unmodified rate limiters get while their Redis takes no writes. Each was started as three
processes over one Redis with a limit of ${CONFIGURED.limit} requests in ${CONFIGURED.windowSeconds} s; writes of Redis
were paused for 10 s with \`CLIENT PAUSE\`, and callers waited 1 s for an answer. Each row is one
run on one machine: times are of that machine, and a burst that shows nothing proves little. The words are those of
[Your own rate limiter](your-limiter.md#what-happens). This page and [survey.json](survey.json) are made by

\`\`\`sh
${command}
\`\`\`

| limiter | configuration | callers get | beyond the limit | well again after | lost, phantoms | in a burst | its documentation |
| --- | --- | --- | --- | --- | --- | --- | --- |
`;

/** Markdown; a row for each variant. `command` is what made the results. */
export async function pageOf(all: readonly Surveyed[], command: string): Promise<string> {
  const rows: string[] = [];
  for (const surveyed of all) rows.push(await rowOf(surveyed));
  return `${head(command)}${rows.join('\n')}\n`;
}

async function rowOf({
  behaviour,
  limiter,
  message,
  package: packaged,
  scenarios,
  variant,
}: Surveyed): Promise<string> {
  const described = (await loadLimiter(limiter)).variants.find(({ name }) => name === variant);
  const outage = scenarios.find(({ name }) => name === 'outage');
  const burst = scenarios.find(({ name }) => name === 'burst');
  const measure = (name: string): number | undefined =>
    outage?.measures?.find((each) => each.name === name)?.value;
  const over = measure('overAdmission');
  const well = measure('wellAfter');
  const [lost, phantoms] = [measure('lost'), measure('phantoms')];
  const says = described?.saysOfFailure;
  return cells([
    `${limiter} (${packaged})`,
    described?.what ?? variant,
    behaviour ?? `not told: ${message}`,
    over === undefined ? '' : over === 0 ? 'no more than it' : `${over} more`,
    well === undefined ? '' : `${well} ms`,
    lost === undefined || phantoms === undefined ? 'not known' : `${lost}, ${phantoms}`,
    burst?.summary ?? '',
    says ? `["${says.quote}"](${says.url})` : 'says nothing',
  ]);
}

function cells(texts: readonly string[]): string {
  return `| ${texts.map((text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
