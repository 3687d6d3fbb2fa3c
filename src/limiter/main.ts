/** Runs one node of the bundled rate limiter until SIGTERM: `node src/limiter/main.ts --help`. */
import { pino } from 'pino';
import { ownSettings } from '../settings/settings.ts';
import { LIMITER, readConfig } from './config.ts';
import { startNode } from './start-node.ts';

async function main(): Promise<void> {
  const config = ownSettings(LIMITER, readConfig);
  const log = pino({ level: config.logLevel, base: { node: config.nodeId } });
  const node = await startNode(config, log);
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    // A second signal forces the exit: counts not delivered by now are lost.
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'stopping');
    node.stop().then(
      () => log.info('stopped'),
      (error: unknown) => {
        log.fatal({ err: error }, 'could not stop in order');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

try {
  await main();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`ratelimiter: ${message}\n`);
  process.exitCode = 1;
}
