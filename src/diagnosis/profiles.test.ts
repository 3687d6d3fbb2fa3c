import { describe, expect, it } from 'vitest';
import { bundleOf } from '../../test/fixtures/diagnosis/bundle.ts';
import { diagnosis as wholeDiagnosis } from '../evidence/diagnosis.ts';
import { type EvidenceBundle, relativeToFirst } from '../evidence/index.ts';
import type { DiagnosisAnswer } from './answer.ts';
import { createDiagnosisProfiles, queryProvider } from './profiles.ts';
import type { DiagnosisProvider, DiagnosisRequest } from './provider.ts';

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
  truth: [{ anomaly: 'store-writes-stalled', components: ['store'] }],
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
  answer: async () => ({ answer, promptVersion: 'prompt/v1', model: 'm\u{1b}[31m' }),
});

describe('createDiagnosisProfiles', () => {
  it('a diagnosis has its steps, its location and its grade', async () => {
    const profiles = createDiagnosisProfiles({ scripted: saying(good) });
    const { diagnosis, message } = await profiles.diagnose('scripted', request, never);
    expect(diagnosis).toEqual({
      scenario: 'stop',
      class: 'store-slow',
      component: 'store',
      pod: 'cache-0',
      chain: good.chain,
      action: 'change-limit',
      confidence: 46,
      alternatives: good.alternatives.map((one) => ({ class: one.anomaly, component: one.component })),
      provider: 'scripted',
      profile: 'scripted',
      model: 'm\ufffd[31m',
      promptVersion: 'prompt/v1',
      evidenceVersion: 'evidence/v2',
      grade: {
        localization: 'Right',
        identification: 'Wrong',
        action: 'Wrong',
        truth: 'store-writes-stalled at store',
      },
    });
    expect(wholeDiagnosis.safeParse(diagnosis).success).toBe(true);
    expect(message).toBe('scripted: store-slow at store (cache-0): A write waits.');
  });

  it('gives advice if the true cause is in the pods', async () => {
    const profiles = createDiagnosisProfiles({ scripted: saying(good) });
    const truth = [{ anomaly: 'uncoordinated-admission', components: ['replica-1'] }] as const;
    const { diagnosis } = await profiles.diagnose('scripted', { ...request, truth }, never);
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
    const profiles = createDiagnosisProfiles({ other: saying(good) });
    for (const profile of ['mystery', 'toString', '__proto__']) {
      const { diagnosis, message } = await profiles.diagnose(profile, request, never);
      expect(diagnosis).toBeUndefined();
      expect(message).toContain(`"${profile}"`);
      expect(message).toContain('other, rules');
    }
  });

  it('a provider that fails or is stopped is reported with the reason', async () => {
    const stopped: DiagnosisProvider = {
      name: 'stopped',
      answer: (_, { reason }) => Promise.reject(reason as Error),
    };
    const broken: DiagnosisProvider = {
      name: 'broken',
      answer: () => Promise.reject(new Error('no\nmodel \u{1b}[2J' + 'x'.repeat(1000))),
    };
    const profiles = createDiagnosisProfiles({ broken });
    const { message } = await profiles.diagnose('broken', request, never);
    expect(message).toMatch(/^profile "broken" failed: no model \ufffd\[2Jx+…$/);
    expect(message.length).toBeLessThan(300);
    expect(await queryProvider(stopped, bundle, AbortSignal.abort())).toEqual({
      failed: expect.stringContaining('stopped before'),
    });
  });
});
