/**
 * A replica of a small key-value service, as a process: `node node.ts <host> <port> <mode> <peer url>...`.
 * A write goes to the replica that gets the request, which hands it on to its peers. A replica can be made deaf: for
 * a while it takes no writes of its peers, and answers reads as before. In mode "lenient" a write counts
 * whatever the peers do; in mode "strict" it is refused unless all of them take it.
 */
import { createServer, type IncomingMessage } from 'node:http';

const [host = '127.0.0.1', port = '0', mode = 'lenient', ...peers] = process.argv.slice(2);
const values = new Map<string, string>();
let deafUntil = 0;
let timesDeaf = 0;

const isDeaf = (): boolean => performance.now() < deafUntil;

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

async function tellPeers(path: string, method: string, body?: string): Promise<boolean> {
  const calls = peers.map((peer) =>
    fetch(`${peer}${path}`, { method, ...(body === undefined ? {} : { body }) }),
  );
  const answers = await Promise.all(calls);
  return answers.every(({ status }) => status === 204);
}

/** Status and body of the answer. */
async function answer(request: IncomingMessage): Promise<[status: number, body?: string]> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://node');
  const [, kind = '', key = ''] = pathname.split('/');
  switch (`${request.method} ${kind}`) {
    case 'GET health':
      return [200, 'ready'];
    case 'GET keys': {
      const value = values.get(key);
      return value === undefined ? [404] : [200, value];
    }
    case 'PUT keys': {
      const value = await bodyOf(request);
      const everywhere = await tellPeers(`/replica/${key}`, 'PUT', value);
      if (!everywhere && mode === 'strict') return [503];
      values.set(key, value);
      return [204];
    }
    case 'PUT replica': {
      const value = await bodyOf(request);
      if (isDeaf()) return [202];
      values.set(key, value);
      return [204];
    }
    case 'DELETE keys':
      values.delete(key);
      await tellPeers(`/replica/${key}`, 'DELETE');
      return [204];
    case 'DELETE replica':
      values.delete(key);
      return [204];
    case 'PUT deaf':
      timesDeaf += 1;
      deafUntil = performance.now() + Number(searchParams.get('ms'));
      return [204];
    case 'DELETE deaf':
      deafUntil = 0;
      return [204];
    case 'GET deaf':
      return [200, String(timesDeaf)];
    default:
      return [405];
  }
}

const server = createServer((request, response) => {
  answer(request).then(
    ([status, body]) => response.writeHead(status).end(body),
    () => response.writeHead(500).end(),
  );
});
server.listen(Number(port), host);
process.once('SIGTERM', () => process.exit(0));
