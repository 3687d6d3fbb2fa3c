/** A proxy before a server that spoils some of its answers: what a tenant's Redis or node may send. */
import { Relay } from '../kit/relay.ts';

export interface GarblingProxy {
  readonly host: string;
  readonly port: number;
  /** Answers that were spoiled so far. */
  garbled(): number;
  stop(): Promise<void>;
}

/** What is passed on in place of an answer. */
type Garbling = (answer: Buffer, random: () => number) => Buffer;

/** Replies of no Redis and answers of no node: wrong types, sizes that cannot be, too many, too deep, unsolicited. */
const FOREIGN = [
  '>1\r\n_\r\n',
  '*16000000\r\n',
  '$999999999999\r\n',
  '*1\r\n'.repeat(2000),
  '%1\r\n+a\r\n',
  '$-1\r\n'.repeat(50),
  '-ERR \u001b[2J\u202e::error::x\r\n',
  '-NOAUTH no\r\n',
  '-LOADING no\r\n',
  ':9223372036854775808\r\n',
  '+OK\r\n+OK\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n'.repeat(200),
  'HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\n',
  'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull',
  'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\r\n',
  `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(3000)}\r\n`,
];

const GARBLINGS: readonly Garbling[] = [
  (_, random) => Buffer.from(FOREIGN[Math.floor(random() * FOREIGN.length)] ?? ''),
  (answer, random) =>
    Buffer.concat([answer, Buffer.from(FOREIGN[Math.floor(random() * FOREIGN.length)] ?? '')]),
  (answer, random) => answer.subarray(0, Math.floor(random() * answer.length)),
  (answer, random) => {
    const copy = Buffer.from(answer);
    for (let flips = 0; flips < 4; flips += 1) {
      copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
    }
    return copy;
  },
  // Random numbers.
  (answer, random) =>
    Buffer.from(
      answer.toString('latin1').replaceAll(/\d/g, () => String(Math.floor(random() * 10))),
      'latin1',
    ),
  (answer) => Buffer.concat([answer, answer]),
  () => Buffer.alloc(200_000, 'a'),
  () => Buffer.alloc(0),
];

/**
 * Starts one on `host`; each answer of the server is spoiled with probability `share`, and one in ten of those
 * ends the connection.
 */
export async function startGarblingProxy(
  host: string,
  target: { readonly host: string; readonly port: number },
  { random, share }: { readonly random: () => number; readonly share: number },
  port = 0,
): Promise<GarblingProxy> {
  let garbled = 0;
  const relay = await Relay.start(target, { host, port }, (client, upstream) => {
    client.pipe(upstream);
    upstream.on('data', (answer: Buffer) => {
      if (client.destroyed) return;
      if (random() >= share) {
        client.write(answer);
        return;
      }
      garbled += 1;
      const garble = GARBLINGS[Math.floor(random() * GARBLINGS.length)];
      client.write(garble?.(answer, random) ?? answer);
      if (random() < 0.1) client.destroy();
    });
  });
  return { host, port: relay.port, garbled: () => garbled, stop: async () => relay.stop() };
}
