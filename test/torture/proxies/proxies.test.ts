import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer, Agent as HttpsAgent, get as httpsGet } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificateFor } from '../../kit/certificate.ts';
import { folderOfTest } from '../../kit/folder.ts';
import { commandCounts } from '../observer/redis-eye.ts';
import { TortureRecord } from '../record.ts';
import { ApiProxy } from './api-proxy.ts';
import { BoundaryFinder } from './boundaries.ts';
import { CommandReader } from './commands.ts';
import { RedisProxy } from './redis-proxy.ts';

const wire = '*3\r\n$6\r\nCLIENT\r\n$5\r\nPAUSE\r\n$4\r\n1500\r\n*1\r\n$4\r\nPING\r\n';

it('commands to Redis are read whole, however they are cut into pieces', () => {
  for (let cut = 0; cut <= wire.length; cut += 1) {
    const reader = new CommandReader();
    const commands = [wire.slice(0, cut), wire.slice(cut)].flatMap((piece) =>
      reader.read(Buffer.from(piece)),
    );
    expect(commands).toEqual([['CLIENT', 'PAUSE', '1500'], ['PING']]);
  }
});

it('the way to Redis passes bytes on and notes what matters, until it is cut', async () => {
  const upstream = createServer((socket) => void socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  onTestFinished(() => void upstream.close());
  const { port } = upstream.address() as AddressInfo;
  const record = new TortureRecord();
  const options = { lane: 0, upstream: { host: '127.0.0.1', port }, record: () => record };
  const proxy = await RedisProxy.start({ ...options, passing: async () => 'pass' }, 0);
  onTestFinished(() => proxy.stop());

  const client = connect(proxy.port, proxy.host).on('error', () => undefined);
  client.write(wire);
  const [echo] = (await once(client, 'data')) as [Buffer];
  expect(echo.toString()).toBe(wire);
  expect(record.of('sent')).toMatchObject([{ args: ['CLIENT', 'PAUSE', '1500'], lane: 0 }]);

  const closed = once(client, 'close');
  proxy.begin('cut', 60_000);
  await closed;
  await once(
    connect(proxy.port, proxy.host).on('error', () => undefined),
    'close',
  );
});

it('a watch of the API server is ended once, though two faults end it together', async () => {
  const certificate = await certificateFor(folderOfTest(), 'IP:127.0.0.1');
  const { caFile, certFile, keyFile } = certificate;
  const [ca, cert, key] = [caFile, certFile, keyFile].map((file) => readFileSync(file));
  const upstream = createHttpsServer({ cert, key }, (_, answer) => {
    answer.writeHead(200).flushHeaders();
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  onTestFinished(() => void upstream.close());
  const proxy = await ApiProxy.start({
    replica: 'operator-a',
    url: `https://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    caFile,
    certificate,
    record: () => new TortureRecord(),
    passing: async () => 'pass',
    laneOf: () => undefined,
  });
  onTestFinished(() => proxy.stop());
  const agent = new HttpsAgent({ ca });
  const sent = httpsGet(`${proxy.url}/apis/x/chaosdemos?watch=true`, { agent });
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  proxy.begin('stale', 10);
  proxy.begin('stale', 10);
  expect((await text(answer)).split('\n')).toEqual([expect.stringContaining('"code":410'), '']);
});

describe('a status on its way to the API server', () => {
  const path = '/apis/chaosdemo.dev/v1alpha1/namespaces/shop/chaosdemos/run-1/status';
  const write = (finder: BoundaryFinder, status: object) =>
    finder.statusWrite('PATCH', path, Buffer.from(JSON.stringify({ metadata: { uid: 'u' }, status })));
  const announced = { scenarios: [{ fault: { id: '1-drift-1' } }] };

  it('is a boundary until it is stored', () => {
    const finder = new BoundaryFinder();
    const first = write(finder, announced);
    expect(first).toMatchObject({ namespace: 'shop', name: 'run-1', boundary: 'announce' });
    expect(write(finder, announced)?.boundary).toBe('announce');
    if (first) finder.stored(first);
    expect(write(finder, announced)?.boundary).toBeUndefined();
    expect(write(finder, { scenarios: [{ fault: { id: '1-drift-1', proof: 'Confirmed' } }] })?.boundary).toBe(
      'proof',
    );
    expect(write(finder, { run: { number: 1, completedAt: 'now' } })?.boundary).toBe('verdict');
  });
});

it('reads how often Redis was paused, without the pauses that it refused', () => {
  const line = 'usec=5,usec_per_call=1.00,rejected_calls=0,failed_calls=1';
  const info = `# Commandstats\ncmdstat_client|pause:calls=4,${line}\ncmdstat_client|unpause:calls=2,${line}\n`;
  expect(commandCounts(info)).toEqual({ pause: 3, unpause: 1, kill: 0 });
  expect(commandCounts('# Commandstats\n')).toEqual({ pause: 0, unpause: 0, kill: 0 });
});
