import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { PluginError } from '../errors.ts';
import { needsLogin } from './login.ts';

/** A server that does this when it gets a PING. */
function server(answer: (stream: Duplex, sent: string) => void): Duplex {
  const stream = new Duplex({
    allowHalfOpen: false,
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      answer(stream, chunk.toString());
      done();
    },
  });
  return stream;
}

it.each<[string, boolean | undefined, (stream: Duplex, sent: string) => void]>([
  ['answers PING', false, (stream, sent) => stream.push(sent === 'PING\r\n' ? '+PONG\r\n' : '-ERR')],
  ['requires a login', true, (stream) => stream.push('-NOAUTH Authentication required.\r\n')],
  ['is no Redis', undefined, (stream) => stream.push('HTTP/1.1 400 Bad Request\r\n')],
  ['closes', undefined, (stream) => stream.push(null)],
  ['fails', undefined, (stream) => stream.destroy(new Error('connection refused'))],
])('whether a login is needed is known of a server that %s: %s', async (_, expected, answer) => {
  expect(await needsLogin(async () => server(answer))).toBe(expected);
});

it('a user who may not connect gets the reason', async () => {
  const open = () => Promise.reject(new PluginError('you may not'));
  await expect(needsLogin(open)).rejects.toThrow(PluginError);
});
