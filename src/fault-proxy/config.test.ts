import { readSettings } from '@chaosdemo/settings';
import { describe, expect, it } from 'vitest';
import { FAULT_PROXY } from './config.ts';

const TOKEN = { TOKEN_FILE: '/token' };

describe('the configuration of the fault proxy', () => {
  it('has defaults for all but the Redis and the token', () => {
    expect(readSettings(FAULT_PROXY, ['--upstream=redis-upstream:6379'], TOKEN)).toMatchObject({
      port: 6379,
      controlPort: 8474,
      upstream: { host: 'redis-upstream', port: 6379 },
    });
  });

  it.each([
    ['[fd00::7]:6380', { host: 'fd00::7', port: 6380 }],
    ['10.0.0.7:1', { host: '10.0.0.7', port: 1 }],
  ])('takes %s as Redis', (written, upstream) => {
    expect(readSettings(FAULT_PROXY, [`--upstream=${written}`], TOKEN)).toMatchObject({ upstream });
  });

  it.each([
    [['--upstream=redis'], TOKEN, /--upstream is "redis"/],
    [['--upstream=redis:0'], TOKEN, /--upstream/],
    [[], TOKEN, /--upstream is missing/],
    [['--upstream=redis:6379'], {}, /--token-file is missing/],
  ])('does not take %j', (args, env, problem) => {
    expect(() => readSettings(FAULT_PROXY, args, env)).toThrow(problem);
  });
});
