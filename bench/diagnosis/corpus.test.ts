/** What the rules make of real recordings; docs/diagnosis.md promises this much of those that were held back. */
import { beforeAll, describe, expect, it } from 'vitest';
import { CASES } from '../../corpus/cases.ts';
import { type Recording, readRecordings } from '../../corpus/recording.ts';
import { rulesProvider } from '../../src/diagnosis/index.ts';
import { leaksOf } from '../../test/kit/leaks.ts';
import { explain, isRight } from './explain.ts';

let recordings: Recording[];
beforeAll(async () => {
  recordings = await readRecordings();
});

describe('the corpus', () => {
  it('has a recording of each variation of each case, and a third of them held back', () => {
    const wanted = CASES.flatMap(({ name, variations }) => variations.map((_, i) => `${name}-${i + 1}`));
    expect(recordings.map(({ name }) => name).sort()).toEqual(wanted.sort());
    expect(recordings.length).toBeGreaterThanOrEqual(60);
    const held = recordings.filter(({ heldBack }) => heldBack).length;
    expect(held / recordings.length).toBeGreaterThanOrEqual(1 / 3);
  });

  it('gives away neither the system nor what was done to it', () => {
    for (const { bundle, name } of recordings) expect([name, leaksOf(bundle)]).toEqual([name, []]);
  });
});

describe('the rules', () => {
  it('name class and component of nine in ten that were held back', async () => {
    const held = recordings.filter(({ heldBack }) => heldBack);
    const explained = await Promise.all(held.map((one) => explain(one, rulesProvider)));
    const right = explained.filter(isRight);
    expect(right.length / held.length).toBeGreaterThanOrEqual(0.9);
  });

  it('give each recording the same answer as before', async () => {
    const explained = await Promise.all(recordings.map((one) => explain(one, rulesProvider)));
    const answers = explained.map(
      ({ answer, name }) => `${name}: ${answer?.anomaly} at ${answer?.component}`,
    );
    expect(answers).toMatchSnapshot();
  });
});
