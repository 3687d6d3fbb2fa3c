import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { ConfigError, helpText, type LimiterConfig, readConfig } from './config.ts';

function read(argv: string[], env: Record<string, string> = {}): LimiterConfig {
  const config = readConfig(argv, env);
  if (config === 'help') throw new Error('unexpected help');
  return config;
}

describe('readConfig', () => {
  it('has a default for everything', () => {
    expect(read([])).toMatchObject({
      mode: 'approximate',
      host: '0.0.0.0',
      port: 8080,
      nodeId: hostname(),
      syncIntervalMs: 100,
      redis: { host: '127.0.0.1', port: 6379, tls: false, password: undefined, sourceAddress: undefined },
    });
  });

  it('prefers flags over the environment, and takes an empty variable for none', () => {
    const config = read(['--port', '1', '--mode', 'strict'], {
      PORT: '2',
      REDIS_PORT: '3',
      NODE_ID: '',
      POD_IP: '10.0.0.1',
    });
    expect(config).toMatchObject({ port: 1, mode: 'strict', nodeId: hostname(), podIp: '10.0.0.1' });
    expect(config.redis).toMatchObject({ port: 3, sourceAddress: '10.0.0.1' });
  });

  it('names each wrong setting and repeats no value', () => {
    const wrong = (): unknown => read([], { PORT: '99999', LIMITER_MODE: 'guessing', POD_IP: 'here' });
    expect(wrong).toThrow(ConfigError);
    expect(wrong).toThrow(/LIMITER_MODE.*PORT.*POD_IP/);
    expect(wrong).not.toThrow(/99999|guessing/);
  });

  it('has no flag for the password and refuses flags it does not know', () => {
    expect(() => read(['--redis-password', 'x'])).toThrow(ConfigError);
    expect(() => read(['--prot', '1'])).toThrow(/--prot/);
  });

  it('explains every variable', () => {
    expect(readConfig(['--help'], {})).toBe('help');
    expect(helpText()).toMatch(/REDIS_PASSWORD.*environment only/);
    expect(helpText()).toMatch(/LIMITER_MODE +--mode .*\[approximate\]/);
  });
});
