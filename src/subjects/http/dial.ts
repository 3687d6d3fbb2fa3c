/** Opens connections to pods: plain TCP, or TLS. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import type { PodTarget } from '../targets/target.ts';

/** Its host is an IP address, v6 without brackets; with TLS, the server name is also the `host` header. */
export type Address = Omit<PodTarget, 'name'>;

/**
 * Starts to connect.
 * @param take gets each read instead of a `data` event; the memory is reused as soon as it returns
 */
export type Dial = (to: Address, take: (bytes: Uint8Array) => void) => Socket;

/**
 * What a TLS connection takes of a budget of connections: some 65 KiB, measured with 1,000 and 2,000 of them; a plain
 * one takes 9.
 */
export const TLS_COST = 10;

/** What a connection to it takes of such a budget. */
export const costOf = ({ serverName }: Address): number => (serverName === undefined ? 1 : TLS_COST);

/** A read is handled before the next one, on one thread, so all connections share this memory. */
const memory = Buffer.allocUnsafeSlow(64 * 1024);

function optionsOf({ host, port }: Address, take: (bytes: Uint8Array) => void) {
  return {
    host,
    port,
    noDelay: true,
    autoSelectFamily: false,
    onread: {
      buffer: memory,
      callback: (length: number) => {
        take(memory.subarray(0, length));
        return true;
      },
    },
  };
}

export const dialTcp: Dial = (to, take) => connectTcp(optionsOf(to, take));

/**
 * Dials with TLS 1.2 or later. The certificate always has to be valid for `serverName` of the address.
 * @param ca PEM certificates of the trusted authorities; undefined: those bundled with Node.js
 */
export function dialTls(ca: string | undefined): Dial {
  // The parsed PEM is kept for all connections: parsing takes longer than a handshake.
  const secureContext = createSecureContext({ ...(ca !== undefined && { ca }), minVersion: 'TLSv1.2' });
  return (to, take) =>
    connectTls({
      ...optionsOf(to, take),
      servername: to.serverName,
      secureContext,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: true,
    });
}
