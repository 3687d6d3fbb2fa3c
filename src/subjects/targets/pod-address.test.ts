import { describe, expect, it } from 'vitest';
import { requirePodAddresses } from './pod-address.ts';
import { Refusal } from './refusal.ts';

function refusalFor(host: string, localPods = false): string | undefined {
  try {
    requirePodAddresses([{ name: 'limiter-0', host }], { localPods, reason: 'PodsNotEligible' });
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return `${error.reason}: ${error.message}`;
  }
}

describe('the address of a pod', () => {
  it.each(['10.0.0.7', '192.168.3.4', '100.64.0.9', 'fd00::7', '2001:db8::1'])('may be %s', (host) => {
    expect(refusalFor(host)).toBeUndefined();
  });

  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.9.9.9', 'loopback'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['169.254.169.254', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['ff02::1', 'multicast'],
    ['::ffff:127.0.0.1', 'IPv4 address in the form of IPv6'],
    ['::ffff:10.0.0.7', 'IPv4 address in the form of IPv6'],
    ['0:0:0:0:0:ffff:7f00:1', 'IPv4 address in the form of IPv6'],
    ['::7f00:1', 'IPv4 address in the form of IPv6'],
    ['64:ff9b::7f00:1', 'IPv4 address in the form of IPv6'],
    ['64:ff9b:1::10.0.0.7', 'IPv4 address in the form of IPv6'],
    ['::ffff:0:10.0.0.7', 'IPv4 address in the form of IPv6'],
    ['2002:7f00:1::', 'IPv4 address in the form of IPv6'],
    ['2001:0:7f00:1::1', 'IPv4 address in the form of IPv6'],
    ['fd00:ec2::254', 'metadata'],
    ['fd20:ce::254', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['168.63.129.16', 'metadata'],
    ['192.0.0.192', 'metadata'],
    ['fec0::1', 'link-local'],
  ])('is not %s', (host, what) => {
    const refusal = refusalFor(host);
    expect(refusal).toMatch(/^PodsNotEligible: limiter-0 has the address /);
    expect(refusal).toContain(host);
    expect(refusal).toContain(what);
  });

  it('a pod on loopback is accepted if pods are local processes, and nothing similar', () => {
    expect(refusalFor('127.0.0.2', true)).toBeUndefined();
    expect(refusalFor('::1', true)).toBeUndefined();
    expect(refusalFor('169.254.169.254', true)).toContain('link-local');
    expect(refusalFor('::ffff:127.0.0.1', true)).toContain('in the form of IPv6');
  });
});
