import { describe, expect, it } from 'vitest';
import { ProfilesError, parseProfiles } from './profiles.ts';

const ollama = {
  name: 'ollama',
  kind: 'openai-compatible',
  baseURL: 'http://ollama.ai.svc:11434/v1',
  model: 'llama3',
};
const hosted = {
  name: 'hosted',
  kind: 'anthropic',
  baseURL: 'https://api.anthropic.com/v1',
  model: 'large',
  apiKeyFile: '/keys/hosted',
};

const problems = (...profiles: unknown[]): string => {
  try {
    parseProfiles({ profiles });
  } catch (error) {
    if (error instanceof ProfilesError) return error.message;
    throw error;
  }
  return 'none';
};

describe('profiles', () => {
  it('need a name, a kind, a server and a model, and have defaults for the rest', () => {
    expect(parseProfiles({ profiles: [ollama, hosted] })).toEqual([
      {
        ...ollama,
        timeout: 45_000,
        retries: 2,
        maxInputTokens: 16_000,
        maxOutputTokens: 2000,
        reasoning: false,
      },
      {
        ...hosted,
        timeout: 45_000,
        retries: 2,
        maxInputTokens: 16_000,
        maxOutputTokens: 2000,
        reasoning: false,
      },
    ]);
  });

  it.each<[string, unknown, RegExp]>([
    ['another kind', { ...ollama, kind: 'gemini' }, /profiles\[0\] \(ollama\).kind: write kind: openai/],
    ['the name of the rules', { ...ollama, name: 'rules' }, /"rules" is always there/],
    ['a name that no spec can have', { ...ollama, name: 'My Model' }, /profiles\[0\].name: write a name/],
    [
      'a member that it does not know',
      { ...ollama, apiKey: 'sk-secret-1234' },
      /\(ollama\): Unrecognized key: "apiKey"/,
    ],
    [
      'a URL with a password',
      { ...ollama, baseURL: 'https://me:secret@host/v1' },
      /baseURL: write an http or https URL/,
    ],
    ['another scheme', { ...ollama, baseURL: 'file:///etc/passwd' }, /baseURL: write an http/],
    [
      'a key that would be read on the way',
      { ...ollama, apiKeyFile: '/k' },
      /apiKeyFile: would go over the network unencrypted/,
    ],
    ['an authority without TLS', { ...ollama, caFile: '/ca' }, /caFile: has no use with http/],
    ['Anthropic without a key', { ...hosted, apiKeyFile: undefined }, /apiKeyFile: is needed/],
    ['a timeout that never ends', { ...ollama, timeout: '2h' }, /timeout: write a duration from 1s to 50s/],
    ['a timeout that is a number', { ...ollama, timeout: 30 }, /timeout: /],
    ['too many retries', { ...ollama, retries: 100 }, /retries: /],
  ])('refuse %s', (_, profile, message) => {
    expect(problems(profile)).toMatch(message);
    expect(problems(profile)).not.toMatch(/secret/);
  });

  it('reject the same name twice, and report all problems at once', () => {
    const message = problems(ollama, { ...hosted, name: 'ollama', retries: -1 });
    expect(message).toMatch(/profiles\[1\] \(ollama\)\.name: .*twice/);
    expect(message).toMatch(/profiles\[1\] \(ollama\).retries: /);
  });

  it.each([undefined, null, 'profiles', [], { profile: [] }, { profiles: {} }])(
    'refuse %j as a file',
    (content) => {
      expect(() => parseProfiles(content)).toThrow(ProfilesError);
    },
  );
});
