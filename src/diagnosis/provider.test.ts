import { describe, expect, it } from 'vitest';
import { createDiagnosisProfiles, type DiagnosisRequest, type ObservationProvider } from './provider.ts';
import { rulesProvider } from './rules.ts';

const request: DiagnosisRequest = {
  scenario: 'x',
  bundle: {
    version: 'evidence/v1',
    components: [{ name: 'store', role: 'store' }],
    relations: [],
    series: [{ id: 's1', component: 'store', signal: 'read-latency', unit: 'ms', points: [[0, 1]] }],
    events: [],
  },
};
const never = new AbortController().signal;

describe('createDiagnosisProfiles', () => {
  it('hands the observations to the provider of the profile', async () => {
    const profiles = createDiagnosisProfiles({ rules: rulesProvider });
    const { diagnosis } = await profiles.diagnose('rules', request, never);
    expect(diagnosis).toMatchObject({ provider: 'rules', anomaly: 'Nothing conclusive' });
  });

  it('gives up on an unknown profile and names the known ones', async () => {
    const profiles = createDiagnosisProfiles({ rules: rulesProvider, other: rulesProvider });
    for (const profile of ['mystery', 'toString']) {
      const result = await profiles.diagnose(profile, request, never);
      expect(result.diagnosis).toBeUndefined();
      expect(result.message).toContain(`"${profile}"`);
      expect(result.message).toContain('other, rules');
    }
  });

  it('gives up when nothing was observed', async () => {
    const profiles = createDiagnosisProfiles({ rules: rulesProvider });
    const result = await profiles.diagnose(
      'rules',
      { ...request, bundle: { ...request.bundle, series: [] } },
      never,
    );
    expect(result).toEqual({ message: expect.stringContaining('nothing was observed') });
  });

  it('gives up when a provider fails, takes too long, or the caller stops', async () => {
    const deaf: ObservationProvider = { name: 'deaf', diagnose: () => new Promise(() => undefined) };
    const broken: ObservationProvider = {
      name: 'broken',
      diagnose: () => Promise.reject(new Error('no model')),
    };
    const profiles = createDiagnosisProfiles({ deaf, broken });
    expect((await profiles.diagnose('broken', request, never)).message).toContain('no model');
    expect((await profiles.diagnose('deaf', request, never, 20)).message).toContain('within 20 ms');
    const stop = new AbortController();
    const pending = profiles.diagnose('deaf', request, stop.signal);
    stop.abort();
    expect((await pending).message).toContain('stopped');
  });
});
