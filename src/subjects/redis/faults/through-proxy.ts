/** The operator's own connection to Redis through a fault proxy: what clients see, next to what Redis itself does. */
import { DataConnection } from '../client/data-port.ts';
import type { FaultTools } from './fault.ts';
import type { Before } from './proxied-fault.ts';

/**
 * Opens a connection right before a fault, and shows that it works. It is closed with the driver.
 * @param mostMs how long an answer may take without a fault; milliseconds
 * @throws an error whose message states what to do
 */
export async function openThrough(
  { lifetime, proxy, target }: Pick<FaultTools, 'lifetime' | 'proxy' | 'target'>,
  { state }: Before,
  mostMs = Number.POSITIVE_INFINITY,
): Promise<DataConnection> {
  const { ca, servername, tls } = target.redis[0];
  const verified = { tls, ...(ca !== undefined && { ca }), ...(servername !== undefined && { servername }) };
  const connection =
    proxy && (await DataConnection.open({ host: proxy.host, port: state.port, ...verified }));
  const sentAt = performance.now();
  const answer = await connection?.state();
  const tookMs = performance.now() - sentAt;
  const way = `through port ${state.port} of ${proxy?.name}`;
  if (!connection || answer !== 'Answered') {
    connection?.close();
    throw new Error(
      `Redis did not answer the operator ${way}: check that no NetworkPolicy blocks it, and with redis.tls, that the certificate is the one of Redis`,
    );
  }
  if (tookMs > mostMs) {
    connection.close();
    throw new Error(
      `without a fault, Redis answered the operator ${way} after ${Math.ceil(tookMs)} ms, so the fault could not be shown: give the fault proxy and Redis more CPU`,
    );
  }
  lifetime.addEventListener('abort', () => connection.close(), { once: true });
  return connection;
}
