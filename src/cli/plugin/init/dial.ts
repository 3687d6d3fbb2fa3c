/** Requests over connections through the API server, sent as those of a run. */
import type { Socket } from 'node:net';
import { type Duplex, Writable } from 'node:stream';
import type { Dial } from '../../../subjects/http/dial.ts';

/** @param open opens a connection; the address of a request is not used */
export function dialOf(open: () => Promise<Duplex>): Dial {
  return (_, take) => {
    let opened: Duplex | undefined;
    const socket = new Writable({
      write: (chunk, encoding, done) => opened?.write(chunk, encoding, done),
      destroy: (error, done) => {
        opened?.destroy();
        done(error);
      },
    });
    // A failure of a request has only the code of an error. Here, it is the message.
    const fail = (error: Error): void => void socket.destroy(Object.assign(error, { code: error.message }));
    open().then((stream) => {
      opened = stream;
      stream.on('error', fail);
      stream.on('data', take);
      stream.on('close', () => socket.destroy());
      if (socket.destroyed) stream.destroy();
      else socket.emit('connect');
    }, fail);
    // Of a socket, a connection uses only what such a stream has.
    return socket as Socket;
  };
}
