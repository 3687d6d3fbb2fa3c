/** Serves a model by the OpenAI protocol: as much of it as a client with single queries needs. */
/* oxlint-disable oxc/no-async-endpoint-handlers -- meant for Express 4; Fastify handles what async handlers throw */

import { randomUUID } from 'node:crypto';
import { messageOf } from '@chaosdemo/testbed';
import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Model } from './llama.ts';

const BODY_BYTES = 512 * 1024;
/** Queries that wait for the one that is answered. */
const MOST_WAITING = 4;
const RETRY_AFTER_SECONDS = 5;

const message = z.object({
  role: z.enum(['system', 'developer', 'user']),
  content: z.union([
    z.string(),
    z
      .array(z.object({ type: z.literal('text'), text: z.string() }))
      .transform((parts) => parts.map(({ text }) => text).join('')),
  ]),
});

const request = z.object({
  model: z.string(),
  messages: z.array(message).min(1).max(16),
  max_tokens: z.int().min(1).optional(),
  max_completion_tokens: z.int().min(1).optional(),
  temperature: z.number().min(0).max(2).default(0),
  stream: z.literal(false, 'streams are not served').optional(),
  response_format: z
    .discriminatedUnion('type', [
      z.object({ type: z.literal('text') }),
      z.object({ type: z.literal('json_object') }),
      z.object({
        type: z.literal('json_schema'),
        json_schema: z.object({ schema: z.record(z.string(), z.unknown()) }),
      }),
    ])
    .optional(),
});

/**
 * The server of one model; not listening yet. Queries are answered one after the other.
 * @param say logs a line for each query that is received, answered or given up: its tokens and time, but no text of it
 */
export function modelServer(name: string, model: Model, say: (line: string) => void): FastifyInstance {
  const app = Fastify({ bodyLimit: BODY_BYTES, forceCloseConnections: true });
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();

  app.setErrorHandler((error: Error & { statusCode?: number }, _, reply) => {
    const status = error instanceof z.ZodError ? 400 : (error.statusCode ?? 500);
    const text = error instanceof z.ZodError ? z.prettifyError(error) : error.message;
    return reply
      .code(status)
      .send({ error: { message: text, type: status < 500 ? 'invalid_request_error' : 'server_error' } });
  });

  app.get('/v1/models', async () => ({
    object: 'list',
    data: [{ id: name, object: 'model', created: 0, owned_by: 'local', context_length: model.contextTokens }],
  }));

  app.post('/v1/chat/completions', async ({ body, raw }, reply) => {
    const query = request.parse(body);
    const texts = (roles: readonly string[]): string =>
      query.messages.flatMap(({ content, role }) => (roles.includes(role) ? [content] : [])).join('\n\n');
    const [system, user] = [texts(['system', 'developer']), texts(['user'])];
    const wanted = query.max_tokens ?? query.max_completion_tokens ?? 512;
    // What the template adds around the messages.
    const needed = model.countTokens(system) + model.countTokens(user) + 32;
    if (needed + wanted > model.contextTokens) {
      const text = `the messages take ${needed} tokens and the answer may take ${wanted}: together no more than ${model.contextTokens}`;
      return await reply
        .code(400)
        .send({ error: { message: text, type: 'invalid_request_error', code: 'context_length_exceeded' } });
    }
    if (waiting > MOST_WAITING) {
      return await reply
        .code(429)
        .header('retry-after', RETRY_AFTER_SECONDS)
        .send({ error: { message: 'others wait for the model', type: 'rate_limit_error' } });
    }
    // The query of a client that is gone needs no answer.
    const gone = new AbortController();
    raw.socket.once('close', () => gone.abort(new Error('the client is gone')));
    const format = query.response_format;
    const schema =
      format?.type === 'json_schema'
        ? format.json_schema.schema
        : format?.type === 'json_object'
          ? { type: 'object' }
          : undefined;
    const answer = async () => {
      gone.signal.throwIfAborted();
      const question = {
        system,
        user,
        maxTokens: wanted,
        temperature: query.temperature,
        ...(schema && { schema }),
      };
      return await model.complete(question, gone.signal);
    };
    const id = `chatcmpl-${randomUUID()}`;
    const start = performance.now();
    const seconds = (): string => ((performance.now() - start) / 1000).toFixed(1);
    say(`${id}: received, ${needed} tokens at most`);
    waiting += 1;
    const turn = last.then(answer, answer);
    last = turn;
    const completed = await turn
      .catch((error: unknown) => {
        say(`${id}: given up after ${seconds()} s: ${messageOf(error)}`);
        throw error;
      })
      .finally(() => (waiting -= 1));
    const { completionTokens, isCutOff, promptTokens, text } = completed;
    say(`${id}: answered, ${promptTokens} tokens read, ${completionTokens} written, ${seconds()} s`);
    return {
      id,
      object: 'chat.completion',
      created: Math.floor(Date.now() / 1000),
      model: name,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: text },
          finish_reason: isCutOff ? 'length' : 'stop',
        },
      ],
      usage: {
        prompt_tokens: promptTokens,
        completion_tokens: completionTokens,
        total_tokens: promptTokens + completionTokens,
      },
    };
  });
  return app;
}
