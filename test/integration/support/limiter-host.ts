/**
 * A process that runs several nodes of the reference rate limiter, for tests:
 * `limiter-host.ts <redis port> <id>=<mode> ...`. Says where they listen in one
 * line of JSON, and ends when its standard input does.
 */
import { pino } from 'pino';
import { readConfig } from '../../../src/limiter/config.ts';
import { startNode } from '../../../src/limiter/start-node.ts';

const [redisPort, ...wanted] = process.argv.slice(2);
const nodes = await Promise.all(
  wanted.map(async (text) => {
    const [id = '', mode = ''] = text.split('=');
    const config = readConfig([], {
      NODE_ID: id,
      LIMITER_MODE: mode,
      HOST: '127.0.0.1',
      PORT: '0',
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: redisPort,
    });
    if (config === 'help') throw new Error('no flags were given');
    const { port } = await startNode(config, pino({ level: 'silent' }));
    return { name: id, host: '127.0.0.1', port };
  }),
);
process.stdout.write(`${JSON.stringify(nodes)}\n`);
process.stdin.once('close', () => process.exit(0)).resume();
