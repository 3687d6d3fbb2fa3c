/** Models as providers over TLS, and the real local model as `npm run model` serves it. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Supervisor } from '@chaosdemo/testbed';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  actions,
  anomalyClasses,
  checkAnswer,
  type DiagnosisAnswer,
  queryProvider,
} from '../../src/diagnosis/index.ts';
import { providersOf, readProfiles } from '../../src/diagnosis/models/index.ts';
import type { ModelProfile } from '../../src/diagnosis/models/profiles.ts';
import { promptOf } from '../../src/diagnosis/models/prompt.ts';
import { queryModel } from '../../src/diagnosis/models/query-model.ts';
import { LOCAL_MODEL, startLocalModel, writeLocalProfile } from '../../tools/model/local.ts';
import { bundleOf } from '../fixtures/diagnosis/bundle.ts';
import {
  completion,
  json,
  type ModelServer,
  STALLED,
  startModelServer,
} from '../fixtures/diagnosis/models/model-server.ts';
import { certificateFor } from '../kit/certificate.ts';

const bundle = bundleOf({
  parts: [
    [
      'store',
      'write-outstanding',
      [
        [150, 150],
        [9000, 9000],
      ],
    ],
    [
      'store',
      'read-latency',
      [
        [160, 2],
        [9000, 2],
      ],
    ],
    ['store', 'a write was sent, and is not answered', 0],
  ],
});
const { signal } = new AbortController();
const supervisor = new Supervisor();

afterAll(async () => await supervisor.close());

describe('a model behind TLS', () => {
  const answer = STALLED;
  let server: ModelServer;
  let caFile: string;

  beforeAll(async () => {
    const {
      certFile,
      keyFile,
      caFile: authority,
    } = await certificateFor(supervisor.temporaryFolder('tls'), 'IP:127.0.0.1');
    caFile = authority;
    const tls = { cert: await readFile(certFile), key: await readFile(keyFile) };
    server = await startModelServer((response) => json(response, completion(JSON.stringify(answer))), tls);
    return async () => await server.close();
  });

  const diagnoseWith = async (more: object, host = '127.0.0.1') => {
    const baseURL = `${server.origin.replace('127.0.0.1', host)}/v1`;
    const profile = { name: 'tls', kind: 'openai-compatible', baseURL, model: 'm', retries: 2, ...more };
    const file = join(supervisor.temporaryFolder('profiles'), 'profiles.json');
    await writeFile(file, JSON.stringify({ profiles: [profile] }));
    const { tls } = providersOf(await readProfiles(file));
    return tls && (await queryProvider(tls, bundle, signal));
  };

  it('gets a request if its certificate is of the authority of the profile', async () => {
    expect(await diagnoseWith({ caFile })).toMatchObject({ answer, model: 'served-model' });
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'of no known authority',
      async () => await diagnoseWith({}),
      /certificate .*not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
    ],
    [
      'for another name',
      async () => await diagnoseWith({ caFile }, 'localhost'),
      /not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
    ],
  ])('gets no request if its certificate is %s', async (_, diagnose, message) => {
    const before = server.requests.length;
    expect(await diagnose()).toMatchObject({ failed: expect.stringMatching(message) as string });
    expect(server.requests).toHaveLength(before);
  });
});

describe('the local model', () => {
  let baseURL: string;
  let file: string;

  beforeAll(async () => {
    const onProgress = (message: string): void => void process.stdout.write(`[model] ${message}\n`);
    baseURL = await startLocalModel({ supervisor, onProgress });
    file = await writeLocalProfile(baseURL, supervisor);
  });

  it('answers in the form that it is held to, and is checked like any other', async () => {
    const [profile] = await readProfiles(file);
    if (profile === undefined) throw new Error('there is no profile');
    // It gives what it has after a while, however busy the machine is.
    const patient: ModelProfile = {
      ...profile,
      timeout: 400_000,
      maxInputTokens: 1000,
      maxOutputTokens: 400,
    };
    const prompt = promptOf(bundle, patient.maxInputTokens);
    if (!prompt) throw new Error('nothing fits');
    const reserve = () => ({ settle: () => undefined });
    const question = { profile: patient, prompt, key: undefined, ca: undefined, reserve };
    const { model, text, used } = await queryModel(question, signal);
    const answer: unknown = JSON.parse(text);
    expect(model).toBe(LOCAL_MODEL);
    expect(anomalyClasses).toContain((answer as DiagnosisAnswer).anomaly);
    expect(actions).toContain((answer as DiagnosisAnswer).action);
    // A prompt of so many tokens by our estimate takes no more by its tokenizer, but for what stands around it.
    expect(used.input).toBeGreaterThan(prompt.tokens / 2);
    expect(used.input).toBeLessThan(prompt.tokens + 32);
    const checked = checkAnswer(answer, bundle);
    process.stdout.write(`[model] ${JSON.stringify(answer)}\n[model] ${JSON.stringify(checked)}\n`);
    if ('rejected' in checked) expect(checked.rejected.length).toBeGreaterThan(0);
  });
});
