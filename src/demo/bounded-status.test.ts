/** A status never grows beyond what the documentation promises, however full each part of it is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ChaosDemoStatus, DiagnosisStatus } from '../api/index.ts';
import { statusSchema } from '../api/status.ts';
import { boundStatus, STATUS_BYTES } from './bounded-status.ts';

/** What a run can come to where the schema has room for later: three types of scenarios, each with its chapters. */
const LISTS: Readonly<Record<string, number>> = {
  scenarios: 3,
  diagnoses: 3,
  chapters: 18,
  conditions: 10,
  faults: 6,
  fixtures: 6,
  remedies: 3,
};
/** Texts that others have a word in; the rest are names, numbers and times. */
const WORDS = new Set(['message', 'evidence', 'model', 'summary', 'runId']);

/** Of one to four bytes, and of two to six characters in JSON. */
const LETTERS = ['x', '"', '\\', '界', '\ufffd', '💥'];

type Node = Readonly<{
  type?: string;
  format?: string;
  enum?: readonly unknown[];
  maxLength?: number;
  maxItems?: number;
  items?: Node;
  properties?: Readonly<Record<string, Node>>;
}>;

/** A value as long as its schema admits. @param share of the items of each list, and of each text, from 0 to 1 */
function filled(node: Node, share: number, letter: string, name = ''): unknown {
  if (node.enum) return node.enum[0];
  if (node.type === 'array') {
    const most = Math.ceil((LISTS[name] ?? node.maxItems ?? 4) * share);
    return Array.from({ length: most }, () => filled(node.items ?? {}, share, letter, name));
  }
  if (node.type === 'object') {
    const members = Object.entries(node.properties ?? {});
    return Object.fromEntries(members.map(([key, member]) => [key, filled(member, share, letter, key)]));
  }
  if (node.format === 'date-time') return '2026-01-01T00:00:00.000Z';
  if (node.type === 'string') {
    const most = Math.floor((node.maxLength ?? 64) * share);
    return (WORDS.has(name) ? letter : 'a').repeat(most).slice(0, most);
  }
  return node.type === 'boolean' ? true : 100;
}

const schema = z.toJSONSchema(statusSchema) as Node;
const status = (share: number, letter: string): ChaosDemoStatus =>
  filled(schema, share, letter) as ChaosDemoStatus;
const withoutMessages = (diagnosis: DiagnosisStatus) => {
  const { message: _, remediation, ...rest } = diagnosis;
  return [rest, remediation?.state];
};
const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

describe('a status', () => {
  it('a status keeps within its bytes, and keeps everything that decisions need', () => {
    const letters = fc.constantFrom(...LETTERS);
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 1, noNaN: true }), letters, (share, letter) => {
        const full = status(share, letter);
        const bounded = boundStatus(structuredClone(full));
        expect(bytes(bounded)).toBeLessThanOrEqual(STATUS_BYTES);
        if (bytes(full) <= STATUS_BYTES) expect(bounded).toEqual(full);
        const { pods: _, ...run } = full.run ?? { pods: [] };
        expect(bounded).toMatchObject({ run, journal: full.journal, health: full.health });
        expect(bounded.scenarios?.map(({ measures, name, result }) => [name, result, measures])).toEqual(
          full.scenarios?.map(({ measures, name, result }) => [name, result, measures]),
        );
        expect(bounded.diagnoses?.map(withoutMessages)).toEqual(full.diagnoses?.map(withoutMessages));
        expect(boundStatus(structuredClone(bounded))).toEqual(bounded);
      }),
      // The fullest of each letter first.
      { numRuns: 60, examples: LETTERS.map((letter) => [1, letter]) },
    );
  });

  it('has room for all that is never dropped, at its longest', () => {
    for (const letter of ['x', '"', '界', '\ufffd', '💥']) {
      expect(bytes(boundStatus(status(1, letter)))).toBeLessThanOrEqual(STATUS_BYTES);
    }
  });

  it('is filled to its bounds by that property far beyond its bytes', () => {
    expect(bytes(status(1, '"'))).toBeGreaterThan(2.5 * STATUS_BYTES);
  });

  it('loses the evidence of its scenarios before anything else', () => {
    const { diagnoses, history, scenarios } = status(1, 'x');
    const small = { diagnoses: diagnoses ?? [], scenarios: scenarios?.slice(0, 1) ?? [] };
    const rest = STATUS_BYTES - bytes({ ...small, history: [] });
    expect(rest).toBeGreaterThan(0);
    const [entry] = history ?? [];
    const before = { ...small, history: Array.from({ length: Math.ceil(rest / bytes(entry)) }, () => entry) };
    const after = boundStatus(structuredClone(before) as ChaosDemoStatus);
    const [{ evidence: _, ...without } = {}] = small.scenarios;
    expect(after).toEqual({ ...before, scenarios: [without] });
  });
});
