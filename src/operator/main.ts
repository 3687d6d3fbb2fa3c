/** The operator's process: command line, signals, exit status. */
import { KubeClient } from '../kube/client.ts';
import { loadKubeConfig } from '../kube/kube-config.ts';
import { SUBJECTS } from '../subjects/index.ts';
import { ConfigError, parseCommand } from './config.ts';
import { createLogger } from './log.ts';
import { runOperator } from './operator.ts';

/** Exit status for a command line or environment that cannot be used, as sysexits' EX_USAGE. */
const EXIT_USAGE = 64;
/** For what goes on beside the reconciles: leases, events, looking whether namespaces still take part. */
const FURTHER_CONNECTIONS = 8;

async function main(): Promise<number> {
  let command: ReturnType<typeof parseCommand>;
  try {
    command = parseCommand(process.argv.slice(2), process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT_USAGE;
  }
  if (command.kind === 'help') {
    process.stdout.write(command.text);
    return 0;
  }
  const { config } = command;
  const logger = createLogger({ level: config.logLevel, identity: config.identity });
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      logger.info({ signal: name }, 'asked to stop');
      stop.abort(new Error(name));
    });
  }
  const client = new KubeClient(loadKubeConfig(config.kubeconfig), {
    userAgent: 'chaosdemo-operator',
    connections: config.concurrency + FURTHER_CONNECTIONS,
  });
  try {
    await runOperator(config, client, logger, stop.signal, SUBJECTS);
    return 0;
  } catch (error) {
    logger.fatal({ err: error }, 'the operator cannot go on');
    return 1;
  } finally {
    await client.close();
  }
}

process.exitCode = await main();
