import { connect, type TcpNetConnectOpts } from 'node:net';

/** The answers of Redis to these lines, from a connection that lasts no longer. */
export async function askRedis(to: TcpNetConnectOpts, ...lines: string[]): Promise<string> {
  const socket = connect(to);
  let answer = '';
  socket.on('data', (data: Buffer) => {
    answer += data.toString('latin1');
  });
  // QUIT makes Redis end the connection behind the last answer.
  socket.write([...lines, 'QUIT', ''].join('\r\n'));
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject).once('close', () => resolve());
  });
  return answer;
}
