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
    const limits = { timeout: 45_000, retries: 2, maxInputTokens: 16_000, maxOutputTokens: 2000 };
    const defaults = { ...limits, reasoning: false };
    expect(parseProfiles({ profiles: [ollama, hosted] })).toEqual([
      { ...ollama, ...defaults },
      { ...hosted, ...defaults },
    ]);
  });

  it.each<[string, unknown]>([
    ['the name of the rules', { ...ollama, name: 'rules' }],
    ['a name that no spec can have', { ...ollama, name: 'My Model' }],
    ['a member that it does not know', { ...ollama, apiKey: 'sk-secret-1234' }],
    ['a URL with a password', { ...ollama, baseURL: 'https://me:secret@host/v1' }],
    ['another scheme', { ...ollama, baseURL: 'file:///etc/passwd' }],
    ['a key that would be read on the way', { ...ollama, apiKeyFile: '/k' }],
    ['an authority without TLS', { ...ollama, caFile: '/ca' }],
    ['Anthropic without a key', { ...hosted, apiKeyFile: undefined }],
    ['a timeout that never ends', { ...ollama, timeout: '2h' }],
    ['a timeout that is a number', { ...ollama, timeout: 30 }],
    ['too many retries', { ...ollama, retries: 100 }],
  ])('refuse %s', (_, profile) => {
    expect(problems(profile)).not.toMatch(/none|secret/);
    expect(problems(profile)).toMatchSnapshot();
  });

  it('reject another kind', () => {
    expect(problems({ ...ollama, kind: 'gemini' })).toContain('openai-compatible');
  });

  it('reject the same name twice, and report all problems at once', () => {
    const message = problems(ollama, { ...hosted, name: 'ollama', retries: -1 });
    expect(message).toMatch(/twice\n.*profiles\[1\]\.name$/m);
    expect(message).toMatch(/profiles\[1\]\.retries$/m);
  });

  it.each([undefined, null, 'profiles', [], { profile: [] }, { profiles: {} }])(
    'refuse %j as a file',
    (content) => {
      expect(() => parseProfiles(content)).toThrow('profiles');
    },
  );
});
