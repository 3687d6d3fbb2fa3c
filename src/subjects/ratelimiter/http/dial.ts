/**
 * Opens connections: plain TCP here. Another transport, such as TLS, is another
 * `Dial` with the same events.
 */
import { connect } from 'node:net';

/** Where to connect to. */
export interface Address {
  /** An IP address, v6 without brackets. */
  readonly host: string;
  readonly port: number;
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
  readonly write: (bytes: Uint8Array, flushed?: () => void) => void;
  /** Bytes that were written and that the kernel has not taken yet. */
  readonly unsent: () => number;
  /** Frees its file descriptor at once. */
  readonly destroy: () => void;
}

export type Dial = (to: Address, events: WireEvents) => Wire;

/** What is read is looked at before the next read, on one thread: all connections share this memory. */
const memory = Buffer.allocUnsafeSlow(64 * 1024);

export const dialTcp: Dial = ({ host, port }, events) => {
  const socket = connect({
    host,
    port,
    // Nothing waits for more to send.
    noDelay: true,
    autoSelectFamily: false,
    onread: {
      buffer: memory,
      callback: (length) => {
        events.bytes(memory.subarray(0, length));
        return true;
      },
    },
  });
  let error: NodeJS.ErrnoException | undefined;
  socket.once('connect', events.opened);
  socket.once('error', (reason) => {
    error = reason;
  });
  socket.once('close', () => events.closed(error));
  return {
    write: (bytes, flushed) => void (flushed ? socket.write(bytes, flushed) : socket.write(bytes)),
    unsent: () => socket.writableLength,
    destroy: () => void socket.destroy(),
  };
};
