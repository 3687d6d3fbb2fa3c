/** Free ports on loopback addresses, and whether those addresses exist at all. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { TestbedError } from './errors.ts';

// Below the range from which Linux (32768) and macOS (49152) assign ports to outgoing connections: a restarted server
// finds its port still free.
const lowest = 20_000;
const highest = 32_000;

/**
 * A port that is free on all the given addresses, and that no process gets from here until this one ends. Throws
 * LOOPBACK_ALIAS_MISSING if the machine lacks one of them.
 */
export async function freePort(hosts: readonly string[] = ['127.0.0.1']): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(lowest, highest);
    if (!(await reserve(port))) continue;
    const free = await Promise.all(hosts.map((host) => canListen(host, port)));
    if (free.every(Boolean)) return port;
  }
  throw new TestbedError('NOT_READY', `No free port between ${lowest} and ${highest} on ${hosts.join(', ')}`);
}

/** The UDP port of the same number, which nothing here listens on, stands for it in all processes of this machine. */
async function reserve(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind({ port, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
    socket.unref();
    return true;
  } catch {
    socket.close();
    return false;
  }
}

async function canListen(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRNOTAVAIL') {
      throw new TestbedError('LOOPBACK_ALIAS_MISSING', `This machine does not respond on ${host}`, {
        cause: error,
      });
    }
    return false;
  } finally {
    server.close();
  }
}
