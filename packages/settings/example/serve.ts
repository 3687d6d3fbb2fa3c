/** A server with two settings. Run it with `--help`. */
import { createServer } from 'node:http';
import { ownSettings } from '@chaosdemo/settings';
import { duration, port } from '@chaosdemo/settings/values';

const { port: number, timeoutMs } = ownSettings({
  about: 'Usage: serve [flags]',
  settings: {
    port: { ...port(0), env: 'PORT', help: 'Port to listen on', fallback: '8080' },
    timeoutMs: { ...duration('1s', '1m', '10s'), env: 'TIMEOUT', help: 'Lifetime', fallback: '10s' },
  },
});
const server = createServer((_, response) => void response.end('ok')).listen(number);
setTimeout(() => server.close(), timeoutMs);
