/**
 * Stands in for a model server: it speaks the OpenAI protocol, and recommends to reset the counter. The rules hardly
 * ever do, and the torture wants a reset in every round that applies them.
 */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { APPLICABLE_ACTION } from '../../src/api/index.ts';
import type { DiagnosisAnswer } from '../../src/diagnosis/index.ts';

export interface Model {
  /** For `--diagnosis-profiles`. */
  readonly profilesFile: string;
  stop(): Promise<void>;
}

/** Name of the profile whose diagnoses recommend a reset. */
export const RESETTING_PROFILE = 'resetting';

/** @param folder for the file of profiles */
export async function startModel(folder: string): Promise<Model> {
  const server = createServer((incoming, answer) => {
    incoming.resume().once('end', () => {
      answer.writeHead(200, { 'content-type': 'application/json' });
      answer.end(JSON.stringify(completion()));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const baseURL = `http://127.0.0.1:${port}/v1`;
  const profiles = [{ name: RESETTING_PROFILE, kind: 'openai-compatible', baseURL, model: 'torture' }];
  const profilesFile = join(folder, 'profiles.json');
  await writeFile(profilesFile, JSON.stringify({ profiles }));
  return {
    profilesFile,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function completion(): object {
  const said: DiagnosisAnswer = {
    anomaly: 'uncoordinated-admission',
    component: 'replicas',
    chain: [{ text: 'Set the limit of demo-other to 5000, then FLUSHALL.', evidence: ['s1'] }],
    action: APPLICABLE_ACTION,
    confidence: 0.9,
    alternatives: [],
  };
  const message = { role: 'assistant', content: JSON.stringify(said) };
  return {
    id: 'c1',
    object: 'chat.completion',
    created: 1,
    model: 'torture',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
  };
}
