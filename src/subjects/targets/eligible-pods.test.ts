import { describe, expect, it } from 'vitest';
import { type PodFields, pod, unready } from '../../../test/fixtures/subjects/targets/pod.ts';
import { expectRefusal } from '../../../test/fixtures/subjects/targets/refusal.ts';
import type { Reason } from '../../api/index.ts';
import type { Pod } from '../cluster.ts';
import { requireReady, selectPods } from './eligible-pods.ts';

const choice = { selector: 'app=limiter', port: 'http', part: 'subject.part' };

const terminating = ({ metadata }: PodFields): void => {
  metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
};
const onHost = ({ spec }: PodFields): void => {
  spec.hostNetwork = true;
};
const withoutPort = ({ spec }: PodFields): void => {
  spec.containers = [{ name: 'app', image: 'limiter:1' }];
};
const otherImage = ({ status }: PodFields): void => {
  status.containerStatuses = [{ name: 'app', image: 'limiter:1', imageID: 'sha256:2' }];
};
const withProxy = ({ status }: PodFields): void => {
  status.containerStatuses = [
    { name: 'proxy', image: 'p', imageID: 'sha256:9' },
    ...(status.containerStatuses ?? []),
  ];
};

describe('selectPods', () => {
  it('selects the ready pods by name, and names the others that match', () => {
    const pods = [pod('b'), pod('c', unready), pod('a'), pod('d', terminating)];
    expect(selectPods(pods, choice)).toEqual({
      pods: [
        { name: 'a', uid: 'uid-a', host: '10.0.0.1', port: 8080, imageId: 'sha256:1' },
        { name: 'b', uid: 'uid-b', host: '10.0.0.1', port: 8080, imageId: 'sha256:1' },
      ],
      notReady: ['c'],
      addresses: ['10.0.0.1', '10.0.0.1', '10.0.0.1'],
    });
  });

  it('images are compared for the container with the port, of selected pods only', () => {
    const pods = [
      pod('a'),
      pod('b', withProxy),
      pod('old', (fields) => {
        otherImage(fields);
        terminating(fields);
      }),
    ];
    expect(selectPods(pods, choice).pods.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it.each<[string, Pod[], Reason]>([
    ['nothing matches', [], 'NoSuchPods'],
    ['none is ready', [pod('a', unready), pod('b', unready)], 'NoSuchPods'],
    ['one is on the host network', [pod('a'), pod('b', onHost)], 'PodsNotEligible'],
    ['one has no such port', [pod('a'), pod('b', withoutPort)], 'PodsNotEligible'],
    ['they run two images', [pod('a'), pod('b', otherImage)], 'PodsNotEligible'],
  ])('refuses when %s', (_, pods, reason) => {
    expectRefusal(() => selectPods(pods, choice), reason);
  });
});

it('a run waits for selected pods that are not Ready, which are named', () => {
  const eligible = selectPods([pod('a'), pod('b', unready), pod('c')], choice);
  expectRefusal(() => requireReady(eligible, 'subject.part'), 'Pending');
  expect(() => requireReady({ ...eligible, notReady: [] }, 'subject.part')).not.toThrow();
});
