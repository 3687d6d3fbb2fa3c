import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { injectBurstTraffic } from './burst.ts';

it('fails with the reason of the signal, and leaves no rejection unhandled', async () => {
  const server = createServer((_, response) => {
    const window = { limit: 10, windowId: 'w', windowEndsAt: 5 };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(window));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;

  const stop = new AbortController();
  const burst = injectBurstTraffic(
    {
      nodes: [{ name: 'rl-0', host: '127.0.0.1', port }],
      key: 'k',
      windowId: 'w',
      requests: 3,
      timeoutMs: 5000,
      // Connected by now, and about to write.
      onStart: () => stop.abort(new Error('the run was aborted')),
    },
    stop.signal,
  );
  // An unhandled rejection fails the whole run of the tests.
  await expect(burst).rejects.toThrow('the run was aborted');
});
