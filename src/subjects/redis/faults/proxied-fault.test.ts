import { describe, expect, it } from 'vitest';
import { FaultProxyError } from '../client/fault-proxy.ts';
import { PauseNotSentError } from './pause.ts';
import { type FakeProxy, INSTANCE, preparedFault } from './proxied-fault.fixture.ts';
import { compareFaults } from './proxied-fault.ts';
import { Refuse } from './refuse/refuse.ts';

const prepared = async (change: Partial<FakeProxy> = {}) =>
  await preparedFault((tools) => new Refuse(tools), change);

it.each([
  ['NotInjected', `${INSTANCE}/3`, 3],
  ['Injected', `${INSTANCE}/3`, 4],
  ['Unknown', `${INSTANCE}/3`, 2],
  ['Unknown', `${INSTANCE.replace('0b', '1b')}/3`, 3],
  ['Unknown', `${'a'.repeat(40)}/3`, 3],
  ['Unknown', '', 3],
] as const)('is %s by the marker %j if the proxy has begun %i faults', (found, marker, faults) => {
  expect(compareFaults(marker, { instance: INSTANCE, faults })).toBe(found);
});

describe('a fault of a fault proxy', () => {
  it('is announced with the instance of the proxy and its count, and begins once', async () => {
    const { fault, inject, marker, proxy } = await prepared();
    expect(marker).toBe(`${INSTANCE}/7`);
    expect(await inject()).toMatchObject({ proof: 'Confirmed' });
    expect(proxy.begun).toHaveLength(1);
    expect(proxy.begun[0]).toBeGreaterThan(1900);
    expect(proxy.begun[0]).toBeLessThanOrEqual(2000);
    expect(fault.isActive).toBe(true);
  });

  it('does not begin if a permit is missing, or too little time is left', async () => {
    const { inject, proxy } = await prepared();
    await expect(inject(2000, 'the lock was lost')).rejects.toThrow('the lock was lost');
    await expect(inject(300)).rejects.toThrow(PauseNotSentError);
    expect(proxy.begun).toEqual([]);
  });

  it('has not begun if the proxy rejects the request', async () => {
    const { inject, proxy } = await prepared({ failure: new FaultProxyError('another is in charge', 409) });
    await expect(inject()).rejects.toThrow(PauseNotSentError);
    expect(proxy.released).toBe(0);
  });

  it('is released if the proxy does not answer: it may have begun', async () => {
    const { fault, inject, proxy } = await prepared({ failure: new FaultProxyError('no answer') });
    const report = await inject();
    expect(report).toMatchObject({ proof: 'Inconclusive' });
    expect(report.startedAt).toBeUndefined();
    expect(proxy.released).toBe(1);
    expect(fault.isActive).toBe(false);
  });

  it('is released if the answer comes so late that it would outlast its announced end', async () => {
    const { fault, inject, proxy } = await prepared({ lateMs: 1200 });
    expect(await inject()).toMatchObject({ proof: 'Inconclusive', endedAt: expect.any(Number) });
    expect(proxy.released).toBe(1);
    expect(fault.isActive).toBe(false);
  });
});
