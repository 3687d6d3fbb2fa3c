import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bundleOf } from '../../../test/fixtures/diagnosis/bundle.ts';
import {
  type Answer,
  anthropicMessage,
  completion,
  STALLED as good,
  json,
  type ModelServer,
  type ReceivedRequest,
  startModelServer,
} from '../../../test/fixtures/diagnosis/models/model-server.ts';
import { folderOfFile } from '../../../test/kit/folder.ts';
import { leaksOf } from '../../../test/kit/leaks.ts';
import { checkAnswer } from '../check-answer.ts';
import type { DiagnosisProvider } from '../provider.ts';
import { modelProvider } from './model-provider.ts';
import { type ModelProfile, parseProfiles } from './profiles.ts';

const KEY = 'key-of-a-test-0123456789';

const bundle = bundleOf({
  parts: [
    ['store', 'write-outstanding', [[150, 150]]],
    ['store', 'read-latency', [[160, 2]]],
    ['store', 'a write was sent', 0],
  ],
});

const keyFile = join(folderOfFile(), 'key');
let server: ModelServer | undefined;

beforeAll(async () => {
  await writeFile(keyFile, `${KEY}\n`);
});

afterEach(async () => {
  await server?.close();
  server = undefined;
});

const serve = async (answer: Answer, more: object = {}): Promise<ModelProfile> => {
  server = await startModelServer(answer);
  const profile = {
    name: 'served',
    kind: 'openai-compatible',
    baseURL: `${server.origin}/v1`,
    model: 'requested-model',
    apiKeyFile: keyFile,
    retries: 0,
    ...more,
  };
  return parseProfiles({ profiles: [profile] })[0] as ModelProfile;
};

const provide = (profile: ModelProfile, now = Date.now): DiagnosisProvider => modelProvider(profile, now);

const diagnose = (profile: ModelProfile) => provide(profile).answer(bundle, new AbortController().signal);

/** The texts of a request that leak what the model must not know; the schema of the answer is included. */
const leaksIn = (received: ReceivedRequest | undefined): unknown[] => {
  const texts: string[] = [];
  JSON.stringify(received?.body, (name, value: unknown) => {
    texts.push(name, ...(typeof value === 'string' ? [value] : []));
    return value;
  });
  expect(texts.length).toBeGreaterThan(20);
  return leaksOf(texts.join('\n'));
};

/** The message of a failed answer, which never contains the key. @throws if the model does not fail */
const failure = async (profile: ModelProfile): Promise<string> => {
  const error: unknown = await diagnose(profile).then(
    (answer) => new Error(`it answered ${JSON.stringify(answer)}`),
    (thrown: unknown) => thrown,
  );
  const shown = `${String(error)}\n${(error as Error).stack ?? ''}\n${JSON.stringify(error)}`;
  expect(shown).not.toContain(KEY);
  return (error as Error).message;
};

describe('a model behind the OpenAI protocol', () => {
  it('gets prompt, schema and key; the answer comes with the name of the model', async () => {
    const profile = await serve((response) => json(response, completion(JSON.stringify(good))), {
      maxOutputTokens: 700,
    });
    const { answer, ...rest } = await diagnose(profile);
    expect(checkAnswer(answer, bundle)).toEqual({ answer: good });
    expect(rest).toEqual({ promptVersion: 'prompt/v4', model: 'served-model' });
    const [received] = server?.requests ?? [];
    expect(received).toMatchObject({
      method: 'POST',
      url: '/v1/chat/completions',
      headers: { authorization: `Bearer ${KEY}` },
      body: {
        model: 'requested-model',
        temperature: 0,
        max_tokens: 700,
        response_format: {
          type: 'json_schema',
          json_schema: {
            strict: false,
            schema: {
              type: 'object',
              required: ['anomaly', 'component', 'chain', 'action', 'confidence', 'alternatives'],
              properties: {
                chain: { items: { properties: { evidence: { items: { enum: ['s1', 's2', 'e1'] } } } } },
              },
            },
          },
        },
      },
    });
    expect(JSON.stringify(received?.body)).toContain('s1 store write-outstanding: 150:150');
    expect(leaksIn(received)).toEqual([]);
  });

  it('an answer of 500 is retried, and then reported with the number of attempts', async () => {
    const profile = await serve(
      (response) => json(response, { error: { message: 'boom' } }, 500, { 'retry-after-ms': '1' }),
      { retries: 1 },
    );
    expect(await failure(profile)).toContain("after 2 attempts, the model's server answered 500: boom");
    expect(server?.requests).toHaveLength(2);
  });

  it('a redirect is not followed', async () => {
    const other = await startModelServer((response) => json(response, completion(JSON.stringify(good))));
    try {
      const profile = await serve(
        (response) => {
          response.writeHead(307, { location: `${other.origin}/v1/chat/completions` }).end();
        },
        { retries: 3 },
      );
      expect(await failure(profile)).toMatch(/answered 307.* redirect/);
      expect(other.requests).toHaveLength(0);
      expect(server?.requests).toHaveLength(1);
    } finally {
      await other.close();
    }
  });

  it.each<[string, Answer]>([
    [
      'what is no JSON',
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices": [{'),
    ],
    [
      'without end',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const more = (): void => {
          if (!response.destroyed && response.write('x'.repeat(65_536))) setImmediate(more);
          else response.once('drain', more);
        };
        more();
      },
    ],
    [
      'and breaks off',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
        response.write('{"choices":', () => response.destroy());
      },
    ],
    ['text that is no answer', (response) => json(response, completion('I would restart everything.'))],
    ['no text', (response) => json(response, completion(''))],
    ['a refusal of the server', (response) => json(response, completion('', { finish: 'content_filter' }))],
    [
      'half of it',
      (response) => json(response, completion(JSON.stringify(good).slice(0, 80), { finish: 'length' })),
    ],
    [
      'a page that says that there is nothing',
      (response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<html>'),
    ],
    [
      'an error with controls',
      (response) => json(response, { error: { message: `\u{1b}[2J${'x'.repeat(5000)}` } }, 400),
    ],
  ])('a failure is reported if it answers %s', async (_, answer) => {
    const reported = await failure(await serve(answer));
    // The code of a broken connection differs.
    expect(reported.replace(/ off \(\w+\)$/, ' off')).toMatchSnapshot();
  });

  it('an answer is found in a code fence', async () => {
    const fenced = `Here:\n\`\`\`json\n${JSON.stringify(good)}\n\`\`\``;
    const { answer } = await diagnose(await serve((response) => json(response, completion(fenced))));
    expect(answer).toEqual(good);
  });
});

describe('a model behind the Anthropic protocol', () => {
  const anthropic = { kind: 'anthropic' };

  it('is sent prompt and key, and its answer comes back', async () => {
    const profile = await serve(
      (response) => json(response, anthropicMessage(JSON.stringify(good))),
      anthropic,
    );
    expect((await diagnose(profile)).answer).toEqual(good);
    expect(server?.requests[0]).toMatchObject({
      url: '/v1/messages',
      headers: { 'x-api-key': KEY, 'anthropic-version': '2023-06-01' },
      body: { model: 'requested-model', max_tokens: 2000, temperature: 0 },
    });
    expect(leaksIn(server?.requests[0])).toEqual([]);
  });

  const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };

  it.each<[string, Answer]>([
    ['is overloaded', (response) => json(response, overloaded, 529)],
    ['refuses', (response) => json(response, anthropicMessage('', 'refusal'))],
    ['is cut off', (response) => json(response, anthropicMessage('{"anomaly"', 'max_tokens'))],
    ['answers something else', (response) => json(response, completion('x'))],
  ])('a failure is reported if it %s', async (_, answer) => {
    expect(await failure(await serve(answer, anthropic))).toMatchSnapshot();
  });
});

describe('a budget', () => {
  it('a used-up budget is reported, and no request is sent', async () => {
    const profile = await serve((response) => json(response, completion(JSON.stringify(good))), {
      tokensPerDay: 3900,
    });
    const provider = provide(profile, () => Date.parse('2026-03-01T12:00:00Z'));
    const { signal } = new AbortController();
    await provider.answer(bundle, signal);
    await expect(provider.answer(bundle, signal)).rejects.toThrow(/budget of 3900 tokens .* 2800 left/);
    expect(server?.requests).toHaveLength(1);
  });

  it('failed attempts cannot exceed the budget: each may have been billed', async () => {
    const profile = await serve((response) => response.destroy(), { tokensPerDay: 3900, retries: 1 });
    const { signal } = new AbortController();
    await expect(provide(profile).answer(bundle, signal)).rejects.toThrow(/the budget of 3900 tokens/);
    expect(server?.requests).toHaveLength(1);
  });

  it.each([0, -5_000_000])(
    'is not made endless by a server that says that it used %i tokens',
    async (said) => {
      const usage = { prompt_tokens: said, completion_tokens: said };
      const answer = completion(JSON.stringify(good), { usage });
      const provider = provide(await serve((response) => json(response, answer), { tokensPerDay: 3500 }));
      const { signal } = new AbortController();
      await provider.answer(bundle, signal);
      // Estimated: some 1000 tokens of the question, and 30 of the answer.
      await expect(provider.answer(bundle, signal)).rejects.toThrow(
        /budget of 3500 tokens .* 2[34]\d\d left/,
      );
    },
  );
});
