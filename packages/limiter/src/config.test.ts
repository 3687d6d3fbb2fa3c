import { readSettings, UsageError } from '@chaosdemo/settings';
import { describe, expect, it } from 'vitest';
import { LIMITER, type LimiterConfig } from './config.ts';

function read(argv: string[], env: Record<string, string> = {}): LimiterConfig {
  const config = readSettings(LIMITER, argv, env);
  if (config === 'help') throw new Error('unexpected help');
  return config;
}

describe('the settings of the limiter', () => {
  it('reports all problems in one message, with what to write', () => {
    const wrong = (): unknown =>
      read(['--check-timeout=5'], {
        PORT: '99999',
        LIMITER_MODE: 'guessing',
        POD_IP: 'here',
        REDIS_TLS: '1',
      });
    expect(wrong).toThrow(UsageError);
    expect(wrong).toThrow(/LIMITER_MODE is "guessing": .* approximate, strict/);
    expect(wrong).toThrow(/PORT is "99999": .* 0 to 65535/);
    expect(wrong).toThrow(/POD_IP is "here": .*IPv4 or IPv6/);
    expect(wrong).toThrow(/REDIS_TLS is "1": .*true or false/);
    expect(wrong).toThrow(/--check-timeout is "5": .* 50ms to 10s/);
  });

  it('has no flag for the password and refuses flags it does not know', () => {
    expect(() => read(['--redis-password', 'x'])).toThrow(/--redis-password .*not known/);
    expect(() => read(['--prot', '1'])).toThrow(/--prot/);
  });
});
