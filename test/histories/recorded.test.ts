/**
 * Histories of real runs on real limiters, each with the scenarios that the run itself published. Whatever becomes of the
 * checkers, they must say the same of these, or the difference is a fix that is explained.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ScenarioStatus } from '../../src/api/index.ts';
import { evidenceBundle } from '../../src/evidence/index.ts';
import { KINDS } from '../../src/subjects/index.ts';
import { evidenceIn, replay } from '../../src/subjects/run/replay.ts';

const folder = new URL('.', import.meta.url);
const read = (file: string): string => gunzipSync(readFileSync(new URL(file, folder))).toString();
const names = readdirSync(folder).flatMap((file) => /^(.*)\.jsonl\.gz$/.exec(file)?.[1] ?? []);

const FIGURES = ['name', 'reason', 'result', 'summary', 'type'] as const satisfies (keyof ScenarioStatus)[];
/** The measure of the invariant, all measures by name, and the rest. */
const figuresOf = ({ atLeast = [], bounds = {}, measures = {}, ...scenario }: ScenarioStatus) => [
  Object.keys(measures)[0],
  measures,
  bounds,
  atLeast.toSorted(),
  ...FIGURES.map((figure) => [figure, scenario[figure]]),
];

describe('the history of a recorded run', () => {
  it.each(names)('gives what the run published: %s', async (name) => {
    const before = JSON.parse(read(`${name}.json.gz`)) as ScenarioStatus[];
    const again = await replay(read(`${name}.jsonl.gz`).split('\n'), KINDS);
    expect(again.map(figuresOf)).toEqual(before.map(figuresOf));
  });

  it.each(names)('proves no invariant held once events are missing: %s', async (name) => {
    const lines = read(`${name}.jsonl.gz`).split('\n');
    const dropped = JSON.stringify({ kind: 'dropped', events: 1 });
    const results = async (some: string[]): Promise<unknown[]> =>
      (await replay(some, KINDS)).map(({ result }) => result);
    const whole = await results(lines);
    const missing = await results(
      lines.flatMap((line) => (line.includes('"kind":"setup"') ? [line, dropped] : [line])),
    );
    expect(missing.filter((result) => result === 'Held')).toEqual([]);
    expect(missing).toHaveLength(whole.length);
  });

  it.each(names)('is drawn with the figures of the run: %s', async (name) => {
    const histories = read(`${name}.jsonl.gz`).split(/^(?=\{"kind":"setup")/m);
    for (const history of histories) {
      const lines = history.split('\n');
      const [scenario] = await replay(lines, KINDS);
      const { bundle } = (await evidenceIn(lines, KINDS)) ?? {};
      expect(evidenceBundle.safeParse(bundle).error).toBeUndefined();
      expect(bundle?.invariant?.broken).toBe(scenario?.result === 'Violated');
      const admitted = scenario?.measures?.['admitted'];
      const drawn = bundle?.series.filter(({ signal }) => signal === 'requests-admitted') ?? [];
      const sum = drawn.reduce((total, { points }) => total + (points.at(-1)?.[1] ?? 0), 0);
      if (admitted !== undefined) expect(sum).toBe(admitted);
    }
  });

  it('is there for each scenario with a violation and without', async () => {
    const results = new Set<string>();
    for (const name of names) {
      for (const { result, type } of await replay(read(`${name}.jsonl.gz`).split('\n'), KINDS))
        results.add(`${type} ${result}`);
    }
    expect([...results].toSorted()).toMatchInlineSnapshot(`
      [
        "CounterDrift Inconclusive",
        "CounterDrift Violated",
        "GhostAllowing Held",
        "GhostAllowing Violated",
        "StoreOutage Held",
        "StoreOutage Violated",
      ]
    `);
  });
});
