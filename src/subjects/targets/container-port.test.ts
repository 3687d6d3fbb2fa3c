import { describe, expect, it } from 'vitest';
import { pod } from '../../../test/fixtures/subjects/targets/pod.ts';
import { resolveContainerPort } from './eligible-pods.ts';

const sidecar = {
  name: 'proxy',
  image: 'proxy:2',
  ports: [
    { name: 'admin', containerPort: 9901 },
    { name: 'dns', containerPort: 53, protocol: 'UDP' },
  ],
};

describe('resolveContainerPort', () => {
  const limiter = pod('a', ({ spec }) => {
    spec.containers = [...spec.containers, sidecar];
  });

  it.each([
    ['http', { port: 8080, container: 'app', image: 'limiter:1' }],
    ['admin', { port: 9901, container: 'proxy', image: 'proxy:2' }],
    [9901, { port: 9901, container: 'proxy', image: 'proxy:2' }],
    [7000, { port: 7000, container: 'app', image: 'limiter:1' }],
    ['dns', undefined],
    ['https', undefined],
    ['8080', undefined],
  ])('finds for %j %j', (port, expected) => {
    expect(resolveContainerPort(limiter, port)).toEqual(expected);
  });

  it('looks into init containers only if they stay as sidecars', () => {
    const starting = pod('a', ({ spec }) => {
      spec.initContainers = [{ ...sidecar, restartPolicy: 'Always' }];
    });
    expect(resolveContainerPort(starting, 'admin')?.container).toBe('proxy');
    const migrating = pod('a', ({ spec }) => {
      spec.initContainers = [sidecar];
    });
    expect(resolveContainerPort(migrating, 'admin')).toBeUndefined();
  });
});
