import { hostname } from 'node:os';
import { UsageError } from '@chaosdemo/settings';
import { describe, expect, it } from 'vitest';
import { type Config, readConfig } from './config.ts';

function configOf(args: string[], env: NodeJS.ProcessEnv = {}): Config {
  const config = readConfig(args, env);
  if (config === 'help') throw new Error('--help was given');
  return config;
}

function problemsOf(args: string[], env: NodeJS.ProcessEnv = {}): string[] {
  try {
    readConfig(args, env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error.message.split('\n').filter((line) => line.startsWith('  - '));
  }
  return [];
}

describe('readConfig', () => {
  it('has a default for everything that needs one', () => {
    expect(configOf([])).toEqual({
      namespace: 'chaosdemo-system',
      identity: hostname(),
      watchNamespaces: [],
      concurrency: 16,
      maxRuns: 50,
      maxRunsPerNamespace: 5,
      leaderElection: true,
      leaseDurationMs: 4000,
      httpPort: 8080,
      logLevel: 'info',
      faultCooldownMs: 60_000,
    });
  });

  it('reads the environment, and lets a flag win over it', () => {
    const env = { POD_NAME: 'operator-1', POD_NAMESPACE: 'chaos', CHAOSDEMO_HTTP_PORT: '9000' };
    expect(configOf(['--http-port', '0', '--kubeconfig=/tmp/k'], env)).toMatchObject({
      identity: 'operator-1',
      namespace: 'chaos',
      httpPort: 0,
      kubeconfig: '/tmp/k',
    });
  });

  it('splits watched namespaces at commas and drops blanks and repetitions', () => {
    expect(configOf(['--watch-namespaces', 'a, b,,a']).watchNamespaces).toEqual(['a', 'b']);
    expect(configOf(['--watch-namespaces=']).watchNamespaces).toEqual([]);
  });

  it.each([
    ['--concurrency', '0', 'write a whole number from 1 to 64'],
    ['--concurrency', '1e1', 'write a whole number from 1 to 64'],
    ['--http-port', '65536', 'write a port from 0 to 65535'],
    ['--http-host', 'localhost', 'write an IPv4 or IPv6 address'],
    ['--lease-duration', '1500ms', 'write whole seconds from 2s to 10m'],
    ['--fault-cooldown', '.5s', 'write a duration from 0s to 10m'],
    ['--log-level', 'loud', 'write one of trace, debug, info, warn, error, fatal'],
    ['--leader-election', 'yes', 'write true or false'],
    ['--watch-namespaces', 'Team_A', 'write names of namespaces separated by commas'],
    ['--identity', 'a b', 'write a name of up to 253'],
    ['--kubeconfig', '', 'write the path of a file'],
  ])('refuses %s %s and says what to write', (flag, value, advice) => {
    const problems = problemsOf([`${flag}=${value}`]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`${flag} is "${value}": ${advice}`);
  });
});
