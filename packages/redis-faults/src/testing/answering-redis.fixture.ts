/** For tests only: a server on loopback that answers as an eligible Redis, except for the replies that a test overrides. */
import { onTestFinished } from 'vitest';
import { RedisRefusal } from '../admission/redis-refusal.ts';
import { startHostileRedis } from './hostile-redis.fixture.ts';

export const PASSWORD = 'Tr0ub4dor&3-horse';
export const RUN_ID = '0123456789abcdef0123456789abcdef01234567';
export const INFO = `run_id:${RUN_ID}\r\nrole:master\r\nredis_mode:standalone\r\nredis_version:8.0.0\r\nconnected_slaves:0\r\n`;

export const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

/** What a Sentinel replies of a healthy primary, with these changes: a flat list. */
export function watchedPrimary(change: Readonly<Record<string, string>> = {}): string {
  const healthy = {
    name: 'limits',
    ip: '10.0.0.7',
    port: '6379',
    runid: RUN_ID,
    flags: 'master',
    'down-after-milliseconds': '5000',
    'last-ping-sent': '0',
    'config-epoch': '0',
    'role-reported-time': '100',
  };
  const flat = Object.entries({ ...healthy, ...change }).flat();
  return `*${flat.length}\r\n${flat.map(bulk).join('')}`;
}

type Command = 'AUTH' | 'INFO' | 'CLIENT' | 'CLUSTER' | 'SENTINEL' | 'SET';

/** By command; `address` is that of the client, as CLIENT LIST has it, and `port` that of the server. */
export type Answers = Partial<Record<Command, string | ((address: string, port: number) => string)>>;

export async function serverWith(answers: Answers) {
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
  onTestFinished(() => server.stop());
  const { host, open, port, taken } = server;
  return { podName: 'redis-0', host, port, tls: false, password: PASSWORD, open, taken };
}

/** The reason and message of a refusal. @throws what is none */
export function refusalText(error: unknown): string {
  if (!(error instanceof RedisRefusal)) throw error;
  return `${error.reason}: ${error.message}`;
}
