/** What the survey found, as it is kept in survey.json: one entry a configuration, with all its runs. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { turns } from './at-once.ts';
import type { Behaviour } from './runner/limiter.ts';

/** What the operator said of one scenario. */
export interface SurveyedScenario {
  readonly name: string;
  readonly result?: string;
  readonly summary?: string;
  readonly message?: string;
  /** By name; their units stand in the reference of the API. */
  readonly measures?: Readonly<Record<string, number>>;
  readonly evidence?: readonly string[];
}

/** One run of one configuration. */
export interface SurveyedRun {
  /** When it began. */
  readonly at: string;
  /** Of this machine at the end of the run: the mean number of processes that ran or waited to, over a minute. */
  readonly load: number;
  /** The first word of the outage's summary; undefined if it is unknown. */
  readonly behaviour?: Behaviour;
  /** Why not, or what the run said at its end. */
  readonly message: string;
  readonly scenarios: readonly SurveyedScenario[];
}

/** A configuration and its runs, in the order in which they were made. */
export interface Surveyed {
  readonly limiter: string;
  readonly variant: string;
  /** Package and version. */
  readonly package: string;
  readonly runs: readonly SurveyedRun[];
}

/** Which configuration of which version. */
export type Which = Pick<Surveyed, 'limiter' | 'variant' | 'package'>;

/** The runs with an outcome for callers. */
export function runsWithResult({ runs }: Pick<Surveyed, 'runs'>): (SurveyedRun & { behaviour: Behaviour })[] {
  return runs.flatMap(({ behaviour, ...run }) => (behaviour ? [{ ...run, behaviour }] : []));
}

/** The outcome for callers if all runs with one agree; else undefined. */
export function agreed(surveyed: Pick<Surveyed, 'runs'>): Behaviour | undefined {
  const behaviours = new Set(runsWithResult(surveyed).map(({ behaviour }) => behaviour));
  const [only] = behaviours;
  return behaviours.size === 1 ? only : undefined;
}

/** One measure of one scenario, of the runs that have it. */
export function numbers(runs: readonly SurveyedRun[], scenario: string, measure: string): number[] {
  return runs.flatMap(
    ({ scenarios }) => scenarios.find(({ name }) => name === scenario)?.measures?.[measure] ?? [],
  );
}

/** The results as they are kept in a file; they are written as they come. */
export class ResultsFile {
  readonly #path: string;
  readonly #all: Map<string, Surveyed>;
  readonly #replaced = new Set<string>();
  readonly #inTurn = turns();

  constructor(path: string, all: readonly Surveyed[]) {
    this.#path = path;
    this.#all = new Map(all.map((each) => [keyOf(each), each]));
  }

  /** Sorted by limiter, then by variant. */
  get all(): Surveyed[] {
    return [...this.#all.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, surveyed]) => surveyed);
  }

  /** The runs of a configuration; none of another version of it. */
  runsOf(which: Which): readonly SurveyedRun[] {
    const there = this.#all.get(keyOf(which));
    return there?.package === which.package ? there.runs : [];
  }

  /** From its next run on those of this configuration that are here now are gone. */
  beginAnew(which: Which): void {
    this.#replaced.add(keyOf(which));
  }

  /** Adds a run, and writes the file. */
  async add({ limiter, package: packaged, variant }: Which, run: SurveyedRun): Promise<void> {
    const which = { limiter, variant, package: packaged };
    const key = keyOf(which);
    const before = this.#replaced.delete(key) ? [] : this.runsOf(which);
    this.#all.set(key, { ...which, runs: [...before, run] });
    await this.#inTurn(async () => await writeResults(this.#path, this.all));
  }
}

function keyOf({ limiter, variant }: Pick<Which, 'limiter' | 'variant'>): string {
  return `${limiter} ${variant}`;
}

/** Of a file that writeResults wrote; none where there is no file. Throws where it is not readable. */
export async function readResults(path: string): Promise<Surveyed[]> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Surveyed[];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Writes all, a run a line; a reader sees the file as it was or as it is. */
export async function writeResults(path: string, all: readonly Surveyed[]): Promise<void> {
  const entries = all.map(({ runs, ...which }) => {
    const lines = runs.map((run) => `    ${JSON.stringify(run)}`).join(',\n');
    return `  ${JSON.stringify(which).slice(0, -1)},"runs":[\n${lines}\n  ]}`;
  });
  await writeFile(`${path}.new`, `[\n${entries.join(',\n')}\n]\n`);
  await rename(`${path}.new`, path);
}
