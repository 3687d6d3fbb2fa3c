/** Whether a Redis requires a login, by its answer to one PING. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { PluginError } from '../errors.ts';

const TIMEOUT_MS = 3_000;

/** Undefined if it is not known, as with TLS. @throws PluginError if the user may not connect */
export async function needsLogin(open: () => Promise<Duplex>): Promise<boolean | undefined> {
  let stream: Duplex | undefined;
  let late: NodeJS.Timeout | undefined;
  try {
    const opened = await open();
    stream = opened;
    late = setTimeout(() => opened.destroy(new Error('no answer')), TIMEOUT_MS);
    stream.write('PING\r\n');
    const [reply] = (await once(stream, 'data')) as [Buffer];
    const text = reply.toString();
    return text.startsWith('+PONG') ? false : text.startsWith('-NOAUTH') ? true : undefined;
  } catch (error) {
    if (error instanceof PluginError) throw error;
    return undefined;
  } finally {
    clearTimeout(late);
    stream?.destroy();
  }
}
