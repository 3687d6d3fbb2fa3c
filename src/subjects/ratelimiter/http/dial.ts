/** Opens connections to pods: plain TCP, or TLS. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls';

/** Where to connect to. */
export interface Address {
  /** An IP address, v6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** With TLS: the name that the certificate has to be valid for, and that `host` is set to. */
  readonly serverName?: string;
}

/**
 * Begins to connect.
 * @param take gets each read instead of a `data` event; the memory is used again as soon as it returns
 */
export type Dial = (to: Address, take?: (bytes: Uint8Array) => void) => Socket;

/**
 * What a connection with TLS takes of a budget of connections: some 65 KiB, measured with 1,000 and 2,000 of them,
 * where a plain one takes 9.
 */
export const TLS_COST = 10;

/** What is read is handled before the next read, on one thread: all connections share this memory. */
const memory = Buffer.allocUnsafeSlow(64 * 1024);

function optionsOf({ host, port }: Address, take: ((bytes: Uint8Array) => void) | undefined) {
  return {
    host,
    port,
    noDelay: true,
    autoSelectFamily: false,
    ...(take && {
      onread: {
        buffer: memory,
        callback: (length: number) => {
          take(memory.subarray(0, length));
          return true;
        },
      },
    }),
  };
}

export const dialTcp: Dial = (to, take) => connectTcp(optionsOf(to, take));

/**
 * Dials with TLS 1.2 or later. The certificate has to be valid for `serverName` of the address, always.
 * @param ca PEM certificates of the authorities that are trusted; undefined: those that Node.js ships with
 */
export function dialTls(ca: string | undefined): Dial {
  // What is made of the PEM is kept for all connections: it takes longer than a handshake.
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

/** Calls `act` once requests may be sent: with TLS, once the certificate was found valid. */
export function onceOpen(socket: Socket, act: () => void): void {
  socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', act);
}
