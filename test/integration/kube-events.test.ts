import type { EventRecord, KubeObject, Logger, WireObject } from '@chaosdemo/kube-runtime';
import { EventRecorder, resourcePath } from '@chaosdemo/kube-runtime';
import type { EventsV1Event } from '@kubernetes/client-node';
import { expect, it, onTestFinished } from 'vitest';
import { adminKubectl, connectAsAdmin, createNamespace } from '../kit/control-plane.ts';
import { until } from '../kit/until.ts';

type Event = WireObject<EventsV1Event>;

const eventType = { group: 'events.k8s.io', version: 'v1', plural: 'events' };

async function setUp() {
  const client = connectAsAdmin();
  onTestFinished(() => client.close());
  const namespace = await createNamespace(client);
  const problems: string[] = [];
  const problem = (fields: object, message: string): void =>
    void problems.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug() {}, info() {}, warn: problem, error: problem };
  const reportingController = 'example.com/tester';
  const events = new EventRecorder({ client, logger, reportingController, reportingInstance: 'tester-0' });
  onTestFinished(() => events.stop(10_000));
  const path = resourcePath({ group: '', version: 'v1', plural: 'configmaps' }, { namespace });
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
  const { metadata } = await client.request<KubeObject>({ method: 'POST', path, body });
  const { uid = '' } = metadata;
  const record = (rest: Partial<EventRecord> = {}): EventRecord => ({
    regarding: { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace, uid },
    type: 'Warning',
    reason: 'Broke',
    action: 'Test',
    note: 'it broke',
    ...rest,
  });
  const list = async (): Promise<Event[]> => {
    const answer = await client.request<{ items: Event[] }>({
      method: 'GET',
      path: resourcePath(eventType, { namespace }),
    });
    return answer.items;
  };
  return { namespace, problems, events, record, list };
}

it('writes events that kubectl shows, and repeats as one series', async () => {
  const { namespace, problems, events, record, list } = await setUp();
  events.record(record());
  await until(async () => (await list()).length === 1, { what: 'the event' });
  for (let n = 0; n < 4; n++) events.record(record());
  events.record(record({ type: 'Normal', reason: 'Mended', note: 'ü'.repeat(2000) }));
  await events.stop(20_000);

  const [mended, broke, ...more] = (await list()).toSorted((a, b) =>
    (a.reason ?? '') < (b.reason ?? '') ? 1 : -1,
  );
  expect(more).toEqual([]);
  expect(problems).toEqual([]);
  expect(broke).toMatchObject({
    type: 'Warning',
    action: 'Test',
    reportingController: 'example.com/tester',
    reportingInstance: 'tester-0',
    series: { count: 5 },
  });
  expect(broke?.eventTime).toMatch(/\.\d{6}Z$/);
  expect(mended?.series).toBeUndefined();
  expect(Buffer.byteLength(mended?.note ?? '')).toBeLessThanOrEqual(1024);
  expect(await adminKubectl().run(['describe', 'configmap', 'a', '-n', namespace])).toContain('it broke');
});
