/** Runs one pod of the limiter until SIGTERM: `node packages/limiter/src/main.ts --help`. */
import { pino } from 'pino';
import { helpText, readConfig, UsageError } from './config.ts';
import { startNode } from './start-node.ts';

/** Exit status for a command line or environment that cannot be used, as EX_USAGE of sysexits. */
const EXIT_USAGE = 64;

async function main(): Promise<void> {
  const config = readConfig(process.argv.slice(2), process.env);
  if (config === 'help') {
    process.stdout.write(helpText());
    return;
  }
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
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : 1;
}
