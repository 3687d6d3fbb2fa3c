/**
 * The rules' answers to cases made by hand: corpus/by-hand.jsonl, one on each line. bench/diagnosis has recordings.
 * Points are `[at, value]`, or `[from, to, every, first, last]` for a value that grows evenly, rounded up.
 */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bundleOf, type Part, type Points } from '../../../test/fixtures/diagnosis/bundle.ts';
import { type EvidenceBundle, SIGNALS, type Signal } from '../../evidence/index.ts';
import type { DiagnosisAnswer } from '../answer.ts';
import { checkAnswer } from '../check-answer.ts';
import { explain } from './index.ts';

interface Case {
  readonly name: string;
  /** Class and component. */
  readonly answer: string;
  readonly alternatives: readonly string[];
  /** Whether the invariant is; undefined: there is none. */
  readonly broken?: boolean;
  readonly replicas?: number;
  readonly series: readonly (readonly [component: string, signal: Signal, ...points: number[][]])[];
}

const cases = readFileSync(new URL('../../../corpus/by-hand.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

function pointsOf([from = 0, to = 0, every, first = 0, last = 0]: readonly number[]): Points {
  if (every === undefined) return [[from, to]];
  const steps = (to - from) / every;
  return Array.from({ length: steps + 1 }, (_, i) => [
    from + i * every,
    Math.ceil(first + ((last - first) * i) / steps - 1e-9),
  ]);
}

const invariantOf = (broken: boolean) => ({ formula: 'allowed <= limit', values: { limit: 10 }, broken });

function bundleOfCase({ broken, replicas = 3, series }: Case): EvidenceBundle {
  const parts = series.map(
    ([component, signal, ...points]): Part => [component, signal, points.flatMap(pointsOf)],
  );
  return bundleOf({ replicas, parts, ...(broken !== undefined && { invariant: invariantOf(broken) }) });
}

const named = ({ anomaly, component }: Pick<DiagnosisAnswer, 'anomaly' | 'component'>) =>
  `${anomaly} at ${component}`;

describe('explain', () => {
  it.each(cases.map((one) => [one.name, one] as const))('made by hand: %s', (_, one) => {
    const bundle = bundleOfCase(one);
    const answer = explain(bundle);
    expect(named(answer)).toBe(one.answer);
    expect(answer.alternatives.map(named)).toEqual(one.alternatives);
    expect(checkAnswer(answer, bundle)).toEqual({ answer });
    const about = (id: string): string => bundle.series.find((series) => series.id === id)?.signal ?? id;
    const cited = answer.chain.map(({ evidence, text }) => [text, ...new Set(evidence.map(about))]);
    expect({ action: answer.action, confidence: answer.confidence, cited }).toMatchSnapshot();
  });

  it('does not depend on names, on ids, or on the order of series', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...cases.filter(({ replicas }) => replicas === undefined)),
        fc.shuffledSubarray([1, 2, 3], { minLength: 3 }),
        fc.infiniteStream(fc.nat()),
        (one, places, order) => {
          const bundle = bundleOfCase(one);
          const renamed = (text: string): string =>
            text.replace(/replica-(\d)$/, (_, i: string) => `replica-${places[Number(i) - 1]}`);
          const series = bundle.series
            .map((each) => ({ each, key: order.next().value ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ each }, i) => ({ ...each, component: renamed(each.component), id: `s${900 - i}` }));
          const other: EvidenceBundle = { ...bundle, series };
          const answer = explain(other);
          // Of replicas with the same fault, any may come first.
          const found = new Set([answer, ...answer.alternatives].map(named));
          expect(found).toEqual(new Set([one.answer, ...one.alternatives].map(renamed)));
          expect(one.answer).toMatch(answer.anomaly);
          expect(checkAnswer(answer, other)).toEqual({ answer });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives an answer that passes the check for any evidence', () => {
    const part = fc
      .record({
        component: fc.constantFrom('replica-1', 'replica-2', 'replica-3', 'store', 'client'),
        signal: fc.constantFrom(...(Object.keys(SIGNALS) as Signal[])),
        points: fc.array(fc.tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: 0, max: 1e5 })), {
          minLength: 1,
          maxLength: 12,
        }),
      })
      .map(({ component, points, signal }): Part => [component, signal, points.sort((a, b) => a[0] - b[0])]);
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 30 }), fc.boolean(), (parts, broken) => {
        const bundle = bundleOf({ parts, invariant: invariantOf(broken) });
        const answer = explain(bundle);
        expect(checkAnswer(answer, bundle)).toEqual({ answer });
      }),
      { numRuns: 500 },
    );
  });

  it('has no result if nothing was seen', () => {
    expect(() => explain(bundleOf({ parts: [] }))).toThrow(/nothing was seen/);
  });
});
