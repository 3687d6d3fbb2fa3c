/**
 * What a model server would be to the operators: it speaks the OpenAI protocol, and asks for the remedy that its path
 * names. Rules ask for a remedy hardly ever, and the torture wants one in every round that has remedies.
 */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { REMEDIES, type Remedy } from '../../src/api/index.ts';
import type { DiagnosisAnswer } from '../../src/diagnosis/index.ts';

export interface Model {
  /** For `--diagnosis-profiles`. */
  readonly profilesFile: string;
  stop(): Promise<void>;
}

const remedies = Object.keys(REMEDIES) as Remedy[];

/** Name of the profile whose diagnoses ask for a remedy. */
export function profileFor(remedy: Remedy): string {
  return REMEDIES[remedy];
}

/** @param folder for the file of profiles */
export async function startModel(folder: string): Promise<Model> {
  const server = createServer((asked, answer) => {
    asked.resume().once('end', () => {
      const remedy = remedies.find((one) => asked.url?.startsWith(`/${profileFor(one)}/`));
      answer.writeHead(remedy ? 200 : 404, { 'content-type': 'application/json' });
      answer.end(JSON.stringify(remedy ? completionFor(remedy) : {}));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const profiles = remedies.map((remedy) => ({
    name: profileFor(remedy),
    kind: 'openai-compatible',
    baseURL: `http://127.0.0.1:${port}/${profileFor(remedy)}/v1`,
    model: 'torture',
  }));
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

function completionFor(remedy: Remedy): object {
  const said: DiagnosisAnswer = {
    anomaly: 'uncoordinated-admission',
    component: 'replicas',
    chain: [{ text: 'Set the limit of demo-other to 5000, then FLUSHALL.', evidence: ['s1'] }],
    action: REMEDIES[remedy],
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
