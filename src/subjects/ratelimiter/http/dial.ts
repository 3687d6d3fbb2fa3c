/** Opens connections: plain TCP, or TLS, with the same events. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';

/** Where to connect to. */
export interface Address {
  /** An IP address, v6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Who the server has to be where it speaks TLS, and the `host` that it is asked for. */
  readonly serverName?: string;
}

/** What happens on a wire; nothing happens after `closed`. */
export interface WireEvents {
  /** Once: it may be written to. */
  readonly opened: () => void;
  /** The memory is used again as soon as the call returns. */
  readonly bytes: (bytes: Uint8Array) => void;
  /** Once, at the latest after `destroy`; with an error unless both sides ended it properly. */
  readonly closed: (error: NodeJS.ErrnoException | undefined) => void;
}

export interface Wire {
  /** Hands bytes over at once, as far as the kernel takes them. */
  readonly write: (bytes: Uint8Array) => void;
  /** Goes the way of `write` as far as that is possible, and sends nothing: the next one is quicker. */
  readonly rehearse: () => void;
  /** Bytes that were written and that the kernel has not taken yet; none once it is destroyed. */
  readonly unsent: () => number;
  /** Frees its file descriptor at once. */
  readonly destroy: () => void;
}

export type Dial = (to: Address, events: WireEvents) => Wire;

/**
 * What a connection with TLS takes of a budget of connections: some 65 KiB, measured with 1,000 and 2,000 of them,
 * where a plain one takes 9.
 */
export const TLS_COST = 10;

/** What is read is looked at before the next read, on one thread: all connections share this memory. */
const memory = Buffer.allocUnsafeSlow(64 * 1024);
/** The kernel takes it on a plain connection, and sends no packet. */
const NOTHING = new Uint8Array(0);

/** Fields of a socket that are the same for both. */
function common({ host, port }: Address, events: WireEvents) {
  return {
    host,
    port,
    // Nothing waits for more to send.
    noDelay: true,
    autoSelectFamily: false,
    onread: {
      buffer: memory,
      callback: (length: number) => {
        events.bytes(memory.subarray(0, length));
        return true;
      },
    },
  };
}

export const dialTcp: Dial = (to, events) => {
  const socket = connectTcp(common(to, events));
  socket.once('connect', events.opened);
  return { ...wireOf(socket, events), rehearse: () => void socket.write(NOTHING) };
};

/**
 * Dials with TLS 1.2 or later. The certificate has to be valid for `serverName` of the address, always.
 * @param ca PEM certificates of the authorities that are trusted; undefined: those that Node.js ships with
 */
export function dialTls(ca: string | undefined): Dial {
  // What is made of the PEM is kept for all connections: it takes longer than a handshake.
  const secureContext = createSecureContext({ ...(ca !== undefined && { ca }), minVersion: 'TLSv1.2' });
  return (to, events) => {
    const socket = connectTls({
      ...common(to, events),
      servername: to.serverName,
      secureContext,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: true,
    });
    socket.once('secureConnect', events.opened);
    // An empty write ends a turn later there, and would hold back the one behind it.
    return { ...wireOf(socket, events), rehearse: () => undefined };
  };
}

function wireOf(socket: Socket, events: WireEvents): Omit<Wire, 'rehearse'> {
  let error: NodeJS.ErrnoException | undefined;
  socket.once('error', (reason) => {
    error = reason;
  });
  socket.once('close', () => events.closed(error));
  return {
    write: (bytes) => void socket.write(bytes),
    unsent: () => (socket.destroyed ? 0 : socket.writableLength),
    destroy: () => void socket.destroy(),
  };
}
