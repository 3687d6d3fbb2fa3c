/** For tests only: targets on loopback that answer as an eligible Redis, except for the replies that a test overrides. */
import { onTestFinished } from 'vitest';
import { RedisRefusal } from '../admission/redis-refusal.ts';
import { type Answers, answeringServer, bulk, RUN_ID } from './answering-server.fixture.ts';

export * from './answering-server.fixture.ts';

export const PASSWORD = 'Tr0ub4dor&3-horse';

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

/** A target that answers so; its server ends with the test. */
export async function serverWith(answers: Answers) {
  const server = await answeringServer(answers);
  onTestFinished(() => server.stop());
  const { host, open, port, taken } = server;
  return { podName: 'redis-0', host, port, tls: false, password: PASSWORD, open, taken };
}

/** The reason and message of a refusal. @throws what is none */
export function refusalText(error: unknown): string {
  if (!(error instanceof RedisRefusal)) throw error;
  return `${error.reason}: ${error.message}`;
}
