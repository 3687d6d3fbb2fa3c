import { describe, expect, it } from 'vitest';
import { pod, unready } from '../../../test/fixtures/subjects/targets/pod.ts';
import { settledTemplate, templateOf, templatesOf } from './eligible-pods.ts';

const of =
  (hash: string, label = 'pod-template-hash') =>
  ({ metadata }: ReturnType<typeof pod>): void => {
    metadata.labels = { [label]: hash };
  };

describe('the template of pods', () => {
  it('is what a ReplicaSet, a StatefulSet or a DaemonSet labelled them with', () => {
    expect(templateOf(pod('a', of('x')))).toBe('x');
    expect(templateOf(pod('a', of('y', 'controller-revision-hash')))).toBe('y');
    expect(templateOf(pod('a'))).toBeUndefined();
  });

  it('a pod template is recorded in full during a rollout, and cut for the status', () => {
    expect(templatesOf(['b', undefined, 'a', 'b'])).toBe('a,b');
    expect(templatesOf([undefined])).toBeUndefined();
    expect(templatesOf(Array.from({ length: 99 }, (_, i) => `template-${i}`))).toHaveLength(128);
  });

  it('is settled once all pods alive are Ready and of it', () => {
    const gone = pod('old', (fields) => {
      of('old')(fields);
      fields.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    });
    expect(settledTemplate([pod('a', of('new')), pod('b', of('new')), gone])).toBe('new');
    expect(settledTemplate([pod('a', of('new')), pod('b', of('old'))])).toBeUndefined();
    const starting = pod('b', (fields) => {
      of('new')(fields);
      unready(fields);
    });
    expect(settledTemplate([pod('a', of('new')), starting])).toBeUndefined();
    expect(settledTemplate([pod('a'), pod('b')])).toBeUndefined();
    expect(settledTemplate([])).toBeUndefined();
  });
});
