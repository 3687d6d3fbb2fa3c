/** A status never grows beyond what the documentation promises, however full each part of it is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ChaosDemoStatus, DiagnosisStatus, ScenarioStatus } from '../api/index.ts';
import { statusSchema } from '../api/status.ts';
import { boundStatus, STATUS_BYTES } from './bounded-status.ts';

/** What a run of eight scenarios can have, if the schema has room for more; each scenario has two attempts at most. */
const LISTS: Readonly<Record<string, number>> = { chapters: 43, conditions: 10 };
/** The longest that a run writes, if the schema has room for more: a controller gives pods names of at most 63 characters. */
const LENGTHS: Readonly<Record<string, number>> = {
  name: 63,
  pod: 63,
  title: 57,
  type: 16,
  reason: 32,
  expect: 8,
  atLeast: 16,
};
/** Texts that others have a word in; the rest are names, numbers and times. */
const WORDS = new Set(['message', 'evidence', 'runId', 'pastRuns']);

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
  maxProperties?: number;
}>;

/** A value as long as its schema admits. @param share of the items of each list, and of each text, from 0 to 1 */
function filled(node: Node, share: number, letter: string, name = ''): unknown {
  if (node.enum) return node.enum[0];
  if (node.type === 'array') {
    const most = Math.ceil((LISTS[name] ?? node.maxItems ?? 4) * share);
    return Array.from({ length: most }, () => filled(node.items ?? {}, share, letter, name));
  }
  if (node.type === 'object') {
    const most = Math.ceil((node.maxProperties ?? 0) * share);
    const others = Array.from({ length: most }, (_, i) => [`figure${i}`.padEnd(16, 'x'), {}] as const);
    const members = [...Object.entries(node.properties ?? {}), ...others];
    return Object.fromEntries(members.map(([key, member]) => [key, filled(member, share, letter, key)]));
  }
  if (node.format === 'date-time') return '2026-01-01T00:00:00.000Z';
  if (node.type === 'string') {
    const most = Math.floor(Math.min(node.maxLength ?? 64, LENGTHS[name] ?? Infinity) * share);
    return (WORDS.has(name) ? letter : 'a').repeat(most).slice(0, most);
  }
  return node.type === 'boolean' ? true : 100;
}

const schema = z.toJSONSchema(statusSchema) as Node;
const status = (share: number, letter: string) => filled(schema, share, letter) as ChaosDemoStatus;
const withoutMessages = (diagnosis: DiagnosisStatus) => {
  const { message: _, recommendation: __, ...rest } = diagnosis;
  return rest;
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
        expect(bounded).toMatchObject({ run: full.run, message: full.message, journal: full.journal });
        const judged = (entry: ScenarioStatus) => [entry.name, entry.result, entry.measures];
        expect(bounded.scenarios?.map(judged)).toEqual(full.scenarios?.map(judged));
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
});
