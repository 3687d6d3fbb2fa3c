import { describe, expect, it } from 'vitest';
import { ForbiddenError } from '../cluster.ts';
import { permissionDenied, permitted, Refusal } from './refusal.ts';

const forbidden = new ForbiddenError(
  'GET /api/v1/namespaces/shop/pods: pods is forbidden: User "system:serviceaccount:chaos:operator" cannot list resource "pods" in API group "" in the namespace "shop"',
);

it('Refusal is an admission that fits into a status', () => {
  expect(new Refusal('SharedRedis', 'x'.repeat(2000)).admission).toEqual({
    state: 'refused',
    reason: 'SharedRedis',
    message: `${'x'.repeat(511)}…`,
  });
});

describe('permissionDenied', () => {
  it('gives the command that permits it, for the account that was refused', () => {
    expect(permissionDenied('shop', forbidden).message).toMatch(
      /cannot list resource "pods" in namespace shop\. .*: kubectl create rolebinding chaosdemo-target --clusterrole=chaosdemo-target --serviceaccount=chaos:operator -n shop$/,
    );
  });
});

it('permitted turns a 403 into a refusal and passes everything else on', async () => {
  await expect(permitted('shop', Promise.reject(forbidden))).rejects.toMatchObject({
    reason: 'PermissionDenied',
  });
  const broken = new Error('broken');
  await expect(permitted('shop', Promise.reject(broken))).rejects.toBe(broken);
  await expect(permitted('shop', Promise.resolve(1))).resolves.toBe(1);
});
