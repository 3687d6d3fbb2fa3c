/** Addresses as Redis writes them: `10.0.0.9:33412`, `[fd00::9]:33412`. Pure. */
import { isIP } from 'node:net';

export function formatAddr(ip = '', port = 0): string {
  const address = plain(ip);
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** The IP of an address, without the port; undefined if it has none, as that of a Unix socket. */
export function ipOf(addr: string): string | undefined {
  const ip = plain(addr.slice(0, Math.max(addr.lastIndexOf(':'), 0)).replace(/^\[(.*)\]$/, '$1'));
  return isIP(ip) === 0 ? undefined : ip;
}

/** Writes an IPv4 address that came in over an IPv6 socket as IPv4. */
function plain(ip: string): string {
  return ip.replace(/^::ffff:(?=\d+\.)/i, '');
}
