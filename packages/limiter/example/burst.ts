/** Three pods over one Redis, and a burst of 20 requests with a limit of 10. REDIS_PORT: the port of a local Redis. */
import { LIMITER, startNode } from '@chaosdemo/limiter';
import { readSettings } from '@chaosdemo/settings';
import { pino } from 'pino';

const logger = pino({ level: 'warn' });
const pods = await Promise.all(
  ['a', 'b', 'c'].map(async (name) => {
    const config = readSettings(
      LIMITER,
      ['--port', '0', '--host', '127.0.0.1', '--node-id', name],
      process.env,
    );
    if (config === 'help') throw new Error('no flag asks for help');
    return await startNode(config, logger);
  }),
);
try {
  const key = `example-${Date.now()}`;
  const statuses = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const response = await fetch(`http://127.0.0.1:${pods[i % pods.length]?.port}/check`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ key }),
      });
      return response.status;
    }),
  );
  const admitted = statuses.filter((status) => status === 200).length;
  process.stdout.write(`${admitted} of ${statuses.length} requests were admitted, with a limit of 10\n`);
} finally {
  await Promise.all(pods.map(async (pod) => await pod.stop()));
}
