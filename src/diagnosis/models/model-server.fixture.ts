/** A server that speaks the protocols of models as a test tells it to, on loopback. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A question that came in. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
  /** By performance.now(). */
  readonly atMs: number;
}

/** How the nth question is answered, counted from 0. */
export type Answer = (response: ServerResponse, asked: Asked, n: number) => void;

/** A server that listens. */
export interface ModelServer {
  /** Up to the path: `http://127.0.0.1:1234`. */
  readonly origin: string;
  readonly asked: readonly Asked[];
  /** Ends it and all of its connections. */
  close(): Promise<void>;
}

/** @param tls PEM of key and certificate; without them it speaks plain HTTP */
export async function startModelServer(
  answer: Answer,
  tls?: { readonly key: Buffer; readonly cert: Buffer },
): Promise<ModelServer> {
  const asked: Asked[] = [];
  const listener: Parameters<typeof createServer>[1] = (request, response) => {
    const atMs = performance.now();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Record<string, unknown>;
      const { headers, method = '', url = '' } = request;
      const question = { method, url, headers, body, atMs };
      asked.push(question);
      answer(response, question, asked.length - 1);
    });
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An answer of status 200 with this JSON. */
export function json(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** A chat completion with this text. */
export function completion(
  text: string | null,
  more: { finish?: string; refusal?: string; usage?: unknown } = {},
): object {
  return {
    id: 'c1',
    object: 'chat.completion',
    created: 1,
    model: 'served-model',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text,
          ...(more.refusal !== undefined && { refusal: more.refusal }),
        },
        finish_reason: more.finish ?? 'stop',
      },
    ],
    usage: more.usage ?? { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
  };
}

/** A message of the Anthropic protocol with this text. */
export function anthropicMessage(text: string, stop = 'end_turn'): object {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'served-model',
    content: [{ type: 'text', text }],
    stop_reason: stop,
    stop_sequence: null,
    usage: { input_tokens: 1000, output_tokens: 100 },
  };
}
