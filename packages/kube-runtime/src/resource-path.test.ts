import { expect, it } from 'vitest';

import { resourcePath } from './resource-path.ts';

const pods = { group: '', version: 'v1', plural: 'pods' };
const leases = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

it.each([
  [resourcePath(pods), '/api/v1/pods'],
  [resourcePath(pods, { namespace: 'shop' }), '/api/v1/namespaces/shop/pods'],
  [
    resourcePath(pods, { namespace: 'shop', name: 'a', subresource: 'status' }),
    '/api/v1/namespaces/shop/pods/a/status',
  ],
  [resourcePath(leases, { name: 'l' }), '/apis/coordination.k8s.io/v1/leases/l'],
  [
    resourcePath(leases, { namespace: '../x', name: 'a/b?c' }),
    '/apis/coordination.k8s.io/v1/namespaces/..%2Fx/leases/a%2Fb%3Fc',
  ],
])('%s', (path, expected) => {
  expect(path).toBe(expected);
});
