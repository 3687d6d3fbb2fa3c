/** Runs the fault proxy until SIGTERM: `node src/fault-proxy/main.ts --help`. */
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createControl, FaultProxy } from '@chaosdemo/redis-faults/proxy';
import { ownSettings } from '@chaosdemo/settings';
import { pino } from 'pino';
import { FAULT_PROXY } from './config.ts';

/** A shorter token could be guessed. */
const LEAST_TOKEN = 16;

async function tokenIn(file: string): Promise<string> {
  const token = (await readFile(file, 'utf8')).trim();
  if (token.length < LEAST_TOKEN) throw new Error(`the token has fewer than ${LEAST_TOKEN} characters`);
  return token;
}

const config = ownSettings(FAULT_PROXY);
const log = pino({ base: { app: 'fault-proxy' } });
const { controlPort, directPort, host, port, upstream } = config;
const onFailure = (error: Error): void => {
  // The kubelet starts it again, without a fault.
  log.fatal({ err: error }, 'clients cannot connect any more');
  process.exit(1);
};
const options = { host, upstream, onFailure };
const proxy = new FaultProxy({ ...options, port });
// By it, the operator reaches a Redis outside of the cluster: it has no control, so no fault applies to it. So the
// operator can show that Redis itself answers during a fault, and the address of a pod is all that it connects to.
const direct = directPort === undefined ? undefined : new FaultProxy({ ...options, port: directPort });
const control = createControl(proxy, await tokenIn(config.tokenFile));
control.addHook('onResponse', async ({ method, url }, { statusCode }) => {
  if (method !== 'GET') log.info({ method, path: url.split('?')[0], statusCode }, 'control');
});
await proxy.start();
await direct?.start();
await control.listen({ host, port: controlPort });
const { port: bound } = control.server.address() as AddressInfo;
log.info(
  { port: proxy.state.port, directPort: direct?.state.port, controlPort: bound, upstream },
  'listening',
);

const stop = (signal: NodeJS.Signals): void => {
  log.info({ signal }, 'stopping');
  Promise.all([control.close(), proxy.close(), direct?.close()]).then(
    () => process.exit(0),
    () => process.exit(1),
  );
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
