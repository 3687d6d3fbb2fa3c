/** Runs one pod of the limiter until SIGTERM: `node packages/limiter/src/main.ts --help`. */
import { ownSettings } from '@chaosdemo/settings';
import { pino } from 'pino';
import { LIMITER } from './config.ts';
import { startNode } from './start-node.ts';

const config = ownSettings(LIMITER);
const log = pino({ base: { node: config.nodeId } });
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
