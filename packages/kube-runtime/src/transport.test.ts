import { KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { warningOf } from './transport.ts';

function configFor(server: string, skipTLSVerify = false): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'c', server, skipTLSVerify }, { name: 'u', token: 'secret' });
  return config;
}

describe('the warning of a kubeconfig', () => {
  it.each([
    ['skips the check of the certificate', configFor('https://api:6443', true), /insecure-skip-tls-verify/],
    ['speaks plain HTTP', configFor('http://api:8080'), /plain HTTP/],
  ])('is given where it %s, and says no secret', (_, config, warning) => {
    expect(warningOf(config)).toMatch(warning);
    expect(warningOf(config)).not.toContain('secret');
  });

  it('is not given if the certificate is checked', () => {
    expect(warningOf(configFor('https://api:6443'))).toBeUndefined();
  });
});
