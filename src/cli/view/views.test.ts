/** The live view, at the sizes that terminals have, and with whatever a cluster may say. */
import * as fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { recordedRun } from '../../../test/fixtures/cli/report/report.ts';
import { hostile } from '../../../test/fixtures/cli/view/hostile-text.ts';
import { evidenceOfRun, NOW, stateWith, statusInFault } from '../../../test/fixtures/cli/view/status.ts';
import type { ChaosDemoStatus } from '../../api/index.ts';
import { initialState, type LiveState } from './state.ts';
import { type Frame, watchView } from './watch-view.ts';

const frame = (columns: number, rows: number, color = false): Frame => ({
  columns,
  rows,
  color,
  now: NOW,
  keys: 'q quit',
});

const live: LiveState = { ...stateWith(statusInFault()), evidence: evidenceOfRun() };
/** Without what a terminal does to lines: colours, which are all that a view may send. */
// oxlint-disable-next-line no-control-regex -- these are the sequences of colours
const COLORS = /\u001b\[[0-9;]*m/g;
// oxlint-disable-next-line no-control-regex -- what a terminal acts on is what must not be there
const ACTS = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;

describe('the live view', () => {
  it.each([
    [80, 23],
    [200, 49],
    [1, 1],
  ])('fills %d columns and %d rows, and no more', (columns, rows) => {
    for (const state of [live, stateWith(undefined), initialState('n', 'n')]) {
      for (const color of [true, false]) {
        const lines = watchView(state, frame(columns, rows, color));
        expect(lines).toHaveLength(rows);
        for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
      }
    }
  });

  it('lets no text of the cluster act on the terminal, nor make a line longer', () => {
    fc.assert(
      fc.property(
        fc.array(hostile, { minLength: 12, maxLength: 12 }),
        fc.integer({ min: 1, max: 140 }),
        fc.integer({ min: 1, max: 45 }),
        fc.boolean(),
        (texts, columns, rows, color) => {
          const lines = watchView(stateOf(texts), frame(columns, rows, color));
          expect(lines).toHaveLength(rows);
          for (const line of lines) {
            const plain = line.replace(COLORS, '');
            expect(plain).not.toMatch(ACTS);
            expect(stringWidth(plain)).toBeLessThanOrEqual(columns);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

/** A state in which each text that a tenant controls is one of these. */
function stateOf(texts: readonly string[]): LiveState {
  const text = (i: number): string => texts[i % texts.length] ?? '';
  const base = statusInFault();
  const status: ChaosDemoStatus = {
    ...base,
    chapter: text(0),
    message: text(1),
    result: text(2),
    chapters:
      base.chapters?.map((chapter, i) => ({ ...chapter, title: text(i), message: text(i + 1) })) ?? [],
    scenarios:
      base.scenarios?.map((scenario) => ({
        ...scenario,
        name: text(3),
        result: 'Violated',
        summary: text(4),
      })) ?? [],
    diagnoses: [
      {
        scenario: text(3),
        message: text(5),
        class: text(6),
        component: text(7),
        recommendation: text(9),
        profile: text(10),
      },
    ],
  };
  const evidence = evidenceOfRun();
  const scenarios = evidence.scenarios.map((scenario) => ({ ...scenario, name: text(11) }));
  return {
    ...stateWith(status),
    evidence: { ...evidence, scenarios },
    lost: { sinceMs: NOW, why: text(2) },
  };
}

describe('the live view at 80x24', () => {
  const lines = watchView(live, frame(80, 23));
  const text = lines.join('\n');

  it('shows chapters, countdown, health, results and charts at once', () => {
    expect(lines[0]).toMatch(/^ratelimiter\/demo {2}run 3 {2}Running .* {2}0:10$/);
    expect(text).toContain('▶  4 Counter Drift Chaos     │');
    expect(text).toContain('│ 4/11 Counter Drift Chaos (fault confirmed)');
    expect(text).toContain('■ counter-drift: fault on, 6 s left █');
    expect(text).toContain('● 3 pods ready, Redis connected');
    expect(text).toMatch(/☆ counter-drift: .*watched/);
    expect(text).toMatch(/^─ Measured in counter-drift .*\nCounted /m);
    expect(text).toContain('Admitted  ');
    expect(lines.at(-1)).toBe('q quit');
  });

  it('keeps the current chapter visible if there is no room for all', () => {
    const small = watchView(live, frame(80, 8)).join('\n');
    expect(small).toContain('▶  4 Counter Drift Chaos');
  });
});

describe('the live view of a run that has ended', () => {
  const state = { ...stateWith(undefined), ...recordedRun() };

  it.each([
    [80, 23],
    [104, 29],
  ])('shows each finding with its advice and a chart: %d x %d', (columns, rows) => {
    const text = watchView(state, frame(columns, rows)).join('\n');
    expect(text).toMatch(/• counter-drift [^]*What to do: [^]*• ghost-allowing [^]*Cause: /);
    expect(text).toMatch(/^─ Measured in ghost-allowing .*\n(Admitted|Counted) /m);
  });
});
