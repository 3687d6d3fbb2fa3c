import { expect, it } from 'vitest';
import { DIAGNOSIS_BYTES, DIAGNOSIS_LIMITS, type Diagnosis, diagnosis, diagnosisText } from './diagnosis.ts';

/** As long as its schema admits, with texts of others of this character. */
function fullest(letter: string): Diagnosis {
  const of = (most: number): string => letter.repeat(most).slice(0, most);
  // What a provider wrote takes 1536 bytes in all, see check-answer.ts: each of these two in JSON at most.
  const step = { text: letter.repeat(256 / Buffer.byteLength(letter)), evidence: Array(8).fill('s1000') };
  return diagnosis.parse({
    scenario: 'n'.repeat(63),
    class: 'n'.repeat(32),
    component: 'n'.repeat(32),
    pod: 'n'.repeat(253),
    chain: Array.from({ length: DIAGNOSIS_LIMITS.chain }, () => step),
    citations: Array.from({ length: DIAGNOSIS_LIMITS.citations }, () => ({ id: 's1000', text: of(160) })),
    action: 'n'.repeat(32),
    recommendation: 'n'.repeat(256),
    confidence: 100,
    alternatives: Array.from({ length: DIAGNOSIS_LIMITS.alternatives }, () => ({
      class: 'n'.repeat(32),
      component: 'n'.repeat(32),
    })),
    profile: 'n'.repeat(63),
    provider: 'n'.repeat(64),
    model: of(128),
    promptVersion: 'n'.repeat(32),
    evidenceVersion: 'n'.repeat(32),
    grade: {
      localization: 'Right',
      identification: 'Wrong',
      action: 'Right',
      reason: 100,
      truth: 'n'.repeat(128),
    },
  });
}

it.each(['x', '"', '界', '\ufffd', '💥'])(
  'a diagnosis full of %s fits its bytes with every step',
  (letter) => {
    const whole = fullest(letter);
    const text = diagnosisText(whole);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(DIAGNOSIS_BYTES);
    const { citations, ...rest } = diagnosis.parse(JSON.parse(text));
    const { citations: all, ...expected } = whole;
    expect(rest).toEqual(expected);
    expect(citations).toEqual(all.slice(0, citations.length));
    expect(citations.length).toBeGreaterThanOrEqual(letter === 'x' ? 12 : 4);
  },
);
