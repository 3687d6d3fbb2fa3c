import { describe, expect, it } from 'vitest';
import { bundleOf } from '../../test/fixtures/diagnosis/bundle.ts';
import { diagnosis as wholeDiagnosis } from '../evidence/diagnosis.ts';
import { type EvidenceBundle, relativeToFirst } from '../evidence/index.ts';
import type { DiagnosisAnswer } from './answer.ts';
import { createDiagnosisProfiles, queryProvider } from './profiles.ts';
import type { DiagnosisProvider, DiagnosisRequest } from './provider.ts';
import { rulesProvider } from './rules/index.ts';

const bundle = bundleOf({
  parts: [
    [
      'store',
      'write-outstanding',
      [
        [250, 240],
        [4000, 3990],
      ],
    ],
    [
      'store',
      'read-latency',
      [
        [-100, 1],
        [2000, 1],
      ],
    ],
    ['store', 'a write has not been answered', 300],
  ],
  invariant: { formula: 'a <= b', values: { a: 3, b: 1 }, broken: true },
});
const request: DiagnosisRequest = {
  scenario: 'stop',
  bundle,
  pods: [{ component: 'store', pod: 'cache-0' }],
  truth: [{ anomaly: 'store-writes-stalled', components: ['store'], fromMs: 0 }],
};
const good: DiagnosisAnswer = {
  anomaly: 'store-slow',
  component: 'store',
  chain: [{ text: 'A write waits.', evidence: ['s1', 'e1', 'v1'] }],
  action: 'change-limit',
  confidence: 0.456,
  alternatives: [{ anomaly: 'unknown', component: 'none' }],
};
const never = new AbortController().signal;

const saying = (answer: unknown): DiagnosisProvider => ({
  name: 'scripted',
  answer: async () => ({
    answer,
    promptVersion: 'prompt/v1',
    model: 'm\u{1b}[31m',
    usage: { inputTokens: 7 },
  }),
});

describe('createDiagnosisProfiles', () => {
  it('a diagnosis has its citations, its location and its grade', async () => {
    const profiles = createDiagnosisProfiles({ scripted: saying(good) });
    const { diagnosis, message, usage } = await profiles.diagnose('scripted', request, never);
    expect(diagnosis).toEqual({
      scenario: 'stop',
      class: 'store-slow',
      component: 'store',
      pod: 'cache-0',
      chain: good.chain,
      citations: [
        { id: 's1', text: 'store (cache-0) write-outstanding: 240 ms at +0.25 s, last 3990 at +4.00 s' },
        { id: 'e1', text: '+0.30 s store (cache-0): a write has not been answered' },
        { id: 'v1', text: 'a = 3' },
      ],
      action: 'change-limit',
      confidence: 46,
      alternatives: good.alternatives.map((one) => ({ class: one.anomaly, component: one.component })),
      provider: 'scripted',
      profile: 'scripted',
      model: 'm\ufffd[31m',
      promptVersion: 'prompt/v1',
      evidenceVersion: 'evidence/v1',
      grade: {
        localization: 'Right',
        identification: 'Wrong',
        reason: 100,
        action: 'Wrong',
        truth: 'store-writes-stalled at store',
      },
    });
    expect(wholeDiagnosis.safeParse(diagnosis).success).toBe(true);
    expect(message).toBe('scripted: store-slow at store (cache-0): A write waits.');
    expect(usage).toEqual({ inputTokens: 7 });
  });

  it.each([
    ['in the pods', [{ anomaly: 'uncoordinated-admission', components: ['replica-1'] }] as const],
    ['unknown', undefined],
  ])('gives advice if the true cause is %s', async (_, truth) => {
    const profiles = createDiagnosisProfiles({ scripted: saying(good) });
    const { diagnosis } = await profiles.diagnose(
      'scripted',
      { scenario: 'burst', bundle, ...(truth && { truth }) },
      never,
    );
    expect(diagnosis?.recommendation).toMatch(/^Change the limit .*\(store\)\. Check /);
  });

  it('a provider gets the bundle only: no scenario, no pods, no fault', async () => {
    const given: unknown[] = [];
    const listening: DiagnosisProvider = {
      name: 'listening',
      async answer(...all: [EvidenceBundle, AbortSignal]) {
        given.push(...all);
        return { answer: good, promptVersion: 'prompt/v1' };
      },
    };
    const profiles = createDiagnosisProfiles({ listening });
    await profiles.diagnose('listening', request, never);
    expect(given).toEqual([relativeToFirst(bundle), expect.any(AbortSignal)]);
  });

  it('a profile that does not exist is reported with the profiles that do', async () => {
    const profiles = createDiagnosisProfiles({ rules: rulesProvider, other: saying(good) });
    for (const profile of ['mystery', 'toString', '__proto__']) {
      const { diagnosis, message } = await profiles.diagnose(profile, request, never);
      expect(diagnosis).toBeUndefined();
      expect(message).toContain(`"${profile}"`);
      expect(message).toContain('other, rules');
    }
  });

  it('a provider that fails, times out or is stopped is given up, with the reason', async () => {
    const deaf: DiagnosisProvider = { name: 'deaf', answer: () => new Promise(() => undefined) };
    const broken: DiagnosisProvider = {
      name: 'broken',
      answer: () => Promise.reject(new Error('no\nmodel \u{1b}[2J' + 'x'.repeat(1000))),
    };
    const profiles = createDiagnosisProfiles({ deaf, broken }, 20);
    const { message } = await profiles.diagnose('broken', request, never);
    expect(message).toMatch(/^profile "broken" failed: no model \ufffd\[2Jx+…$/);
    expect(message.length).toBeLessThan(300);
    expect((await profiles.diagnose('deaf', request, never)).message).toMatch(/did not answer within/);
    const stop = new AbortController();
    const pending = queryProvider(deaf, bundle, stop.signal);
    stop.abort();
    expect(await pending).toEqual({ failed: expect.stringContaining('stopped before') });
  });
});

it('keeps three diagnoses of the longest answers well below the bound of a status', async () => {
  const text = '時'.repeat(85);
  const series = Array.from({ length: 40 }, (_, i) => `s${i + 1}`);
  const many = bundleOf({
    parts: Array.from(
      { length: 40 },
      () =>
        [
          'replica-1',
          'request-latency',
          [
            [1, 2],
            [3, 9],
            [4, 1],
          ],
        ] as const,
    ),
  });
  const answer: DiagnosisAnswer = {
    ...good,
    component: 'replica-1',
    chain: Array.from({ length: 6 }, (_, i) => ({ text, evidence: series.slice(i * 6, i * 6 + 8) })),
    alternatives: Array.from({ length: 3 }, () => ({
      anomaly: 'uncoordinated-admission',
      component: 'replicas',
    })),
  };
  const pods = [{ component: 'replica-1', pod: 'p'.repeat(253) }];
  const profiles = createDiagnosisProfiles({ scripted: saying(answer) });
  const { diagnosis } = await profiles.diagnose('scripted', { ...request, bundle: many, pods }, never);
  expect(diagnosis?.citations).toHaveLength(12);
  expect(Buffer.byteLength(JSON.stringify(diagnosis))).toBeLessThan(6000);
});
