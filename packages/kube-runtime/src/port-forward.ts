/**
 * TCP connections to ports of pods through the API server, as those of `kubectl port-forward`. Unlike the proxy of the
 * API server for HTTP, they leave headers as they are: that proxy removes Authorization and adds to X-Forwarded-For.
 */
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import type { KubeConfig } from '@kubernetes/client-node';
import { type ClientOptions, WebSocket } from 'ws';
import { ApiError, ApiUnreachableError, statusIn } from './api-error.ts';
import { corePath } from './resource-path.ts';

/** A port in a pod. */
export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** The first byte of a message is its channel. The first message of each has the port as two more bytes. */
const PROTOCOL = 'v4.channel.k8s.io';
const DATA = 0;
const ERRORS = 1;

const HANDSHAKE_MS = 10_000;
/** More than a kubelet sends in a message; bytes. */
const MOST_MESSAGE_BYTES = 1024 * 1024;
const MOST_ERROR_BYTES = 4096;

/** A kubelet connects to localhost in the pod. Its message also has the sandbox and the network namespace. */
const REFUSED = /connection refused/i;

/**
 * A new connection. The user needs get and create on `pods/portforward`. It sees what the program in the pod sends, and
 * fails with the message of the kubelet if nothing listens there.
 * @throws {ApiError} the API server returned an error
 * @throws {ApiUnreachableError} no response, or none in time
 */
export async function openPort(config: KubeConfig, { namespace, pod, port }: PodPort): Promise<Duplex> {
  const path = corePath('pods', { namespace, name: pod, subresource: 'portforward' });
  const options: ClientOptions = { handshakeTimeout: HANDSHAKE_MS, maxPayload: MOST_MESSAGE_BYTES };
  // The options of a request of Node are options of a WebSocket, too.
  await config.applyToHTTPSOptions(options);
  const server = (config.getCurrentCluster()?.server ?? '').replace(/^http/, 'ws').replace(/\/+$/, '');
  const socket = new WebSocket(`${server}${path}?ports=${port}`, [PROTOCOL], options);
  const stream = streamOf(socket, `localhost:${port} in ${pod}`);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => {
      // Until the stream is read: an early error would have no listener.
      socket.pause();
      resolve();
    });
    socket.once('unexpected-response', (_, response: IncomingMessage) => {
      const { statusCode = 0 } = response;
      const rejected = (text: string): void =>
        reject(new ApiError(`GET ${path}`, statusCode, statusIn(text)));
      beginningOf(response).then(rejected, () => rejected(''));
    });
    socket.on('error', (error) => {
      reject(new ApiUnreachableError(`GET ${path}`, 'FAILED', error.message, error));
      stream.destroy();
    });
  });
  return stream;
}

/** Leaving the loop ends the connection. */
async function beginningOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
    if (text.length > MOST_ERROR_BYTES) break;
  }
  return text;
}

function streamOf(socket: WebSocket, place: string): Duplex {
  const begun = new Set<number | undefined>();
  const stream = new Duplex({
    // The protocol cannot end one direction.
    allowHalfOpen: false,
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => socket.send(Buffer.concat([Buffer.of(DATA), chunk]), done),
    destroy: (error, done) => {
      socket.terminate();
      done(error);
    },
  });
  socket.on('message', (message: Buffer) => {
    const [channel] = message;
    const content = message.subarray(begun.has(channel) ? 1 : 3);
    begun.add(channel);
    if (content.length === 0) return;
    if (channel === ERRORS) {
      const text = content.subarray(0, MOST_ERROR_BYTES).toString().trim();
      stream.destroy(new Error(REFUSED.test(text) ? `connection refused by ${place}` : text));
    }
    if (channel === DATA && !stream.push(content)) socket.pause();
  });
  socket.on('close', () => stream.push(null));
  return stream;
}
