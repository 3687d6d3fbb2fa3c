/**
 * Several nodes of the bundled rate limiter in one process, so that many of them fit on one machine:
 * `limiter-host.ts '[{"id":"a-0","host":"127.0.0.2","port":20001,"mode":"strict","redisPort":20002}]'`.
 * The user of Redis comes in REDIS_USERNAME and REDIS_PASSWORD. Run by hosted-limiters.ts.
 */

import { LIMITER, startNode } from '@chaosdemo/limiter';
import { readSettings } from '@chaosdemo/settings';
import { pino } from 'pino';
import type { HostedNode } from './hosted-limiters.ts';
import { startHttpNode } from './http-node.ts';

const nodes = JSON.parse(process.argv[2] ?? '[]') as HostedNode[];
const log = pino({ level: 'warn' });
await Promise.all(
  nodes.map(async (node) => {
    const { id, host, port, limit = 10, mode, redisPort } = node;
    if (mode === 'http') return startHttpNode(node);
    const config = readSettings(LIMITER, [], {
      ...process.env,
      NODE_ID: id,
      LIMITER_MODE: mode,
      LIMITER_LIMIT: String(limit),
      HOST: host,
      POD_IP: host,
      PORT: String(port),
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: String(redisPort),
    });
    if (config === 'help') throw new Error('no flags were given');
    await startNode(config, log);
  }),
);
process.once('SIGTERM', () => process.exit(0));
