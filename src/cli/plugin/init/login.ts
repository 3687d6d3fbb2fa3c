/** Whether a Redis requires a login, by its answer to one PING. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { PluginError } from '../errors.ts';

const TIMEOUT_MS = 3_000;

/** Undefined if it is not known, as with TLS. @throws PluginError if the user may not connect */
export async function needsLogin(open: () => Promise<Duplex>): Promise<boolean | undefined> {
  let stream: Duplex | undefined;
  try {
    stream = await open();
    // The first error ends the wait below, and a later one would have no listener.
    stream.on('error', () => undefined);
    stream.write('PING\r\n');
    const [reply] = (await once(stream, 'data', { signal: AbortSignal.timeout(TIMEOUT_MS) })) as [Buffer];
    const text = reply.toString();
    return text.startsWith('+PONG') ? false : text.startsWith('-NOAUTH') ? true : undefined;
  } catch (error) {
    if (error instanceof PluginError) throw error;
    return undefined;
  } finally {
    stream?.destroy();
  }
}
