/**
 * Which addresses a pod may be dialled at. A pod IP comes from the API server, and anyone who can write the status of a
 * pod sets it: an address of the operator's own machine, its node, a cloud's metadata service or a broadcast is no
 * pod's.
 */
import { BlockList, isIP } from 'node:net';
import type { Reason } from '../../api/index.ts';
import { Refusal } from './refusal.ts';

const NO_PODS = new BlockList();
NO_PODS.addSubnet('0.0.0.0', 8);
NO_PODS.addSubnet('169.254.0.0', 16);
NO_PODS.addSubnet('224.0.0.0', 3);
NO_PODS.addAddress('::', 'ipv6');
NO_PODS.addSubnet('fe80::', 10, 'ipv6');
NO_PODS.addSubnet('ff00::', 8, 'ipv6');

NO_PODS.addSubnet('fec0::', 10, 'ipv6');

// Metadata services of clouds besides 169.254.169.254: AWS, Google Cloud, Alibaba Cloud, Azure (WireServer), Oracle.
NO_PODS.addAddress('fd00:ec2::254', 'ipv6');
NO_PODS.addAddress('fd20:ce::254', 'ipv6');
NO_PODS.addAddress('100.100.100.200');
NO_PODS.addAddress('168.63.129.16');
NO_PODS.addSubnet('192.0.0.0', 24);

/** Prefixes that carry an IPv4 address: NAT64 (RFC 6052, RFC 8215), SIIT (RFC 2765), Teredo and 6to4. */
const CARRYING_IPV4 = new BlockList();
CARRYING_IPV4.addSubnet('64:ff9b::', 96, 'ipv6');
CARRYING_IPV4.addSubnet('64:ff9b:1::', 48, 'ipv6');
CARRYING_IPV4.addSubnet('::ffff:0:0:0', 96, 'ipv6');
CARRYING_IPV4.addSubnet('2001::', 32, 'ipv6');
CARRYING_IPV4.addSubnet('2002::', 16, 'ipv6');

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

/** @throws {Refusal} of this reason that names the first pod whose address is not one of a pod */
export function requirePodAddresses(
  pods: readonly { readonly name: string; readonly host: string }[],
  { localPods, reason }: { readonly localPods: boolean; readonly reason: Reason },
): void {
  for (const { name, host } of pods) {
    const kind = kindOf(host);
    if (kind === 'pod' || (kind === 'loopback' && localPods)) continue;
    throw new Refusal(
      reason,
      `${name} has the address ${host}, which is ${WHAT[kind]} and no address of a pod: see kubectl get pod ${name} -o wide, and who may write the status of pods`,
    );
  }
}

const WHAT = {
  loopback: 'the loopback of the machine that dials it',
  mapped: 'an IPv4 address in the form of IPv6',
  special: 'link-local, unspecified, multicast, reserved or of the metadata of a cloud',
} as const;

function kindOf(host: string): 'pod' | keyof typeof WHAT {
  const family = isIP(host);
  if (family === 4) return NO_PODS.check(host) ? 'special' : LOOPBACK.check(host) ? 'loopback' : 'pod';
  // With a zone, %eth0, it is an address of one link.
  if (family === 0 || host.includes('%')) return 'special';
  // ::ffff:1.2.3.4 and the older ::1.2.3.4, however they are written.
  const written = new URL(`http://[${host}]`).hostname;
  if (/^\[::(ffff:)?[0-9a-f]+:[0-9a-f]+\]$/.test(written) || CARRYING_IPV4.check(host, 'ipv6'))
    return 'mapped';
  if (NO_PODS.check(host, 'ipv6')) return 'special';
  return LOOPBACK.check(host, 'ipv6') ? 'loopback' : 'pod';
}
