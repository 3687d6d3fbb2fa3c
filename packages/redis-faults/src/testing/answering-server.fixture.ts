/** For tests only, also without vitest: a server on loopback that answers as an eligible Redis, except for some replies. */
import { type HostileRedis, startHostileRedis } from './hostile-redis.fixture.ts';

export const RUN_ID = '0123456789abcdef0123456789abcdef01234567';
export const INFO = `run_id:${RUN_ID}\r\nrole:master\r\nredis_mode:standalone\r\nredis_version:8.0.0\r\nconnected_slaves:0\r\n`;

export const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

type Command = 'AUTH' | 'INFO' | 'CLIENT' | 'CLUSTER' | 'SENTINEL' | 'SET';

/** By command; `address` is that of the client, as CLIENT LIST has it, and `port` that of the server. */
export type Answers = Partial<Record<Command, string | ((address: string, port: number) => string)>>;

export async function answeringServer(answers: Answers): Promise<HostileRedis> {
  const all: Answers = {
    AUTH: '+OK\r\n',
    INFO: bulk(INFO),
    CLIENT: (address) => bulk(`id=1 addr=${address} name= flags=N user=default\n`),
    SET: '+OK\r\n',
    ...answers,
  };
  const server = await startHostileRedis((socket) => {
    const address = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.on('data', (bytes) => {
      // Each command begins with its name, on a separate line.
      for (const [, name] of bytes.toString('latin1').matchAll(/\*\d+\r\n\$\d+\r\n([A-Za-z]+)\r\n/g)) {
        const answer = all[name?.toUpperCase() as Command] ?? '-ERR unknown\r\n';
        socket.write(typeof answer === 'string' ? answer : answer(address, server.port));
      }
    });
  });
  return server;
}
