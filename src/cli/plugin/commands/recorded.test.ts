import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sendJson, startWireServer, type WireServer } from '@chaosdemo/kube-runtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { recordedConfigMap, recordedRun } from '../../../../test/fixtures/cli/report/report.ts';
import { folderOfTest } from '../../../../test/kit/folder.ts';
import type { ChaosDemo } from '../../../api/index.ts';
import { KINDS } from '../../../subjects/index.ts';
import { replay } from '../../../subjects/run/replay.ts';
import { writeReport } from './recorded.ts';

let folder: string;
let server: WireServer;
/** How the API server answers for the ConfigMap, time after time; the last answer stays. */
let answers: { readonly status: number; readonly body: unknown }[];

beforeEach(async () => {
  folder = folderOfTest();
  server = await startWireServer((_, response) => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    sendJson(response, answer?.body, answer?.status);
  });
});

/** Writes all formats; returns the page. */
async function pageOf(demo: ChaosDemo): Promise<string> {
  const { signal } = new AbortController();
  const connection = { client: server.client(), kubectl: 'kubectl --context prod' };
  const options = { format: 'html', outputDir: join(folder, 'new') } as const;
  const paths = await writeReport(connection, demo, options, signal);
  const written = (await readdir(join(folder, 'new'))).toSorted();
  expect(written.filter((file) => file !== 'history.jsonl')).toEqual([
    'chaosdemo.json',
    'junit.xml',
    'report.html',
    'report.md',
  ]);
  expect(paths).toHaveLength(written.length);
  return await readFile(join(folder, 'new', 'report.html'), 'utf8');
}

const found = { status: 200, body: recordedConfigMap() };
const refused = (status: number, reason: string) => ({
  status,
  body: { kind: 'Status', status: 'Failure', code: status, reason, message: reason },
});
/** A run that has ended just now. */
const endedNow = (): ChaosDemo => {
  const { demo } = recordedRun();
  if (demo.status?.run) demo.status.run.completedAt = new Date().toISOString();
  return demo;
};

describe('kubectl chaosdemo report', () => {
  it('shows the evidence of the last run', async () => {
    answers = [found];
    expect(await pageOf(recordedRun().demo)).toContain('<figure>');
    const path = '/api/v1/namespaces/ratelimiter/configmaps/demo-evidence-1';
    expect(server.requests.map((request) => request.path)).toEqual([path]);
    const history = await readFile(join(folder, 'new', 'history.jsonl'), 'utf8');
    expect((await replay(history.split('\n'), KINDS)).map(({ type }) => type)).toEqual([
      'CounterDrift',
      'GhostAllowing',
    ]);
  });

  it('waits for the end of the evidence if the run has just ended', async () => {
    answers = [refused(404, 'NotFound'), found];
    expect(await pageOf(endedNow())).toContain('<figure>');
  });

  it.each([
    [403, 'Forbidden', '(get configmaps in ratelimiter)'],
    [404, 'NotFound', 'demo-evidence-1'],
  ] as const)(
    'does without evidence that is not to be had (%s), and says why',
    async (status, reason, why) => {
      answers = [refused(status, reason)];
      const page = await pageOf(recordedRun().demo);
      expect(page).toContain(why);
      expect(page).not.toContain('<figure>');
    },
  );
});
