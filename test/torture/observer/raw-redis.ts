/** The plainest connection to a Redis there is: lines out, lines in. Nothing of the operator's is in it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { RedisUser } from '../../../src/local/redis-users.ts';

export interface RawRedisTarget {
  readonly host: string;
  readonly port: number;
  readonly user: RedisUser;
  /** Where it comes from, so that it counts as one of the limiters there. */
  readonly localAddress: string;
}

/** A connection that is logged in; its answers come as lines. @throws where there is none */
export async function openRedis(target: RawRedisTarget): Promise<{
  readonly socket: Socket;
  readonly lines: AsyncIterator<string>;
}> {
  const { host, port, user, localAddress } = target;
  const socket = connect({ host, port, localAddress });
  socket.setNoDelay(true);
  await once(socket, 'connect');
  // What goes wrong from here on ends the lines.
  socket.on('error', () => {});
  const reader = createInterface({ input: socket });
  // A socket that is destroyed has no end that a reader would hear of.
  socket.once('close', () => reader.close());
  const lines = reader[Symbol.asyncIterator]();
  socket.write(`AUTH ${user.username} ${user.password}\r\n`);
  const said = await lines.next();
  if (said.value !== '+OK') {
    socket.destroy();
    throw new Error(`Redis does not let the observer in: ${String(said.value)}`);
  }
  return { socket, lines };
}
