import { expect, it } from 'vitest';
import { ForbiddenError } from '../cluster.ts';
import { orRefusal, Refusal } from './refusal.ts';

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

it('a 403 is the refusal with the command that permits it for that account', async () => {
  const { message, reason } = await orRefusal<Refusal>('shop', () => Promise.reject(forbidden));
  expect({ message, reason }).toMatchSnapshot();
  const broken = new Error('broken');
  await expect(orRefusal('shop', () => Promise.reject(broken))).rejects.toBe(broken);
  await expect(orRefusal('shop', async () => 1)).resolves.toBe(1);
});
