import { describe, expect, it } from 'vitest';
import { parseProfiles } from './profiles.ts';

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
    return (error as Error).message;
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
    ['another kind', { ...ollama, kind: 'gemini' }, /write kind: openai.*\n.*profiles\[0\]\.kind$/],
    ['the name of the rules', { ...ollama, name: 'rules' }, /"rules" is always there/],
    [
      'a name that no spec can have',
      { ...ollama, name: 'My Model' },
      /write a name.*\n.*profiles\[0\]\.name$/,
    ],
    [
      'a member that it does not know',
      { ...ollama, apiKey: 'sk-secret-1234' },
      /Unrecognized key: "apiKey"\n.*profiles\[0\]$/,
    ],
    [
      'a URL with a password',
      { ...ollama, baseURL: 'https://me:secret@host/v1' },
      /write an http or https URL[^]*baseURL$/,
    ],
    ['another scheme', { ...ollama, baseURL: 'file:///etc/passwd' }, /write an http[^]*baseURL$/],
    [
      'a key that would be read on the way',
      { ...ollama, apiKeyFile: '/k' },
      /would go over the network unencrypted[^]*apiKeyFile$/,
    ],
    ['an authority without TLS', { ...ollama, caFile: '/ca' }, /has no use with http[^]*caFile$/],
    ['Anthropic without a key', { ...hosted, apiKeyFile: undefined }, /is needed[^]*apiKeyFile$/],
    [
      'a timeout that never ends',
      { ...ollama, timeout: '2h' },
      /write a duration from 1s to 50s[^]*timeout$/,
    ],
    ['a timeout that is a number', { ...ollama, timeout: 30 }, /timeout$/],
    ['too many retries', { ...ollama, retries: 100 }, /retries$/],
  ])('refuse %s', (_, profile, message) => {
    expect(problems(profile)).toMatch(message);
    expect(problems(profile)).not.toMatch(/secret/);
  });

  it('reject the same name twice, and report all problems at once', () => {
    const message = problems(ollama, { ...hosted, name: 'ollama', retries: -1 });
    expect(message).toMatch(/twice\n.*profiles\[1\]\.name$/m);
    expect(message).toMatch(/profiles\[1\]\.retries$/m);
  });

  it.each([undefined, null, 'profiles', [], { profile: [] }, { profiles: {} }])(
    'refuse %j as a file',
    (content) => {
      expect(() => parseProfiles(content)).toThrow(/^these profiles cannot be used/);
    },
  );
});
