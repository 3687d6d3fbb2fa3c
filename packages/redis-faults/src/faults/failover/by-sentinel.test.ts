/** Which pod is the new primary after a failover, by what a Sentinel reports. */
import { describe, expect, it } from 'vitest';
import { RUN_ID, serverWith, watchedPrimary } from '../../testing/answering-redis.fixture.ts';
import type { FaultTools } from '../fault.ts';
import { BySentinel } from './by-sentinel.ts';

const never = new AbortController().signal;
const FORMER = { podName: 'redis-0', host: '10.0.0.7', port: 6379, tls: false, runId: 'a'.repeat(40) };
const POD = { podName: 'redis-1', namespace: 'shop', host: '10.0.0.8', port: 6379, tls: false };

/** The outcome if the Service leads to this pod, and a Sentinel reports this primary. */
async function found(primary: { ip: string; runid?: string }, pod = POD): Promise<unknown> {
  const sentinel = await serverWith({ SENTINEL: watchedPrimary({ 'config-epoch': '1', ...primary }) });
  const sentinels = { masterName: 'limits', servers: [sentinel] };
  const tools = { findStore: async () => [pod], lifetime: never, target: { redis: [FORMER] } };
  return (await new BySentinel(tools as unknown as FaultTools, sentinels, () => 'x').findPrimaries())[0];
}

describe('the new primary', () => {
  it.each(['10.0.0.8', 'redis-1.redis.shop.svc.cluster.local'])(
    'is the pod behind the Service at %s, which the Sentinel reports',
    async (ip) => {
      expect(await found({ ip })).toEqual({ ...POD, runId: RUN_ID });
      expect(await found({ ip, runid: '' })).toEqual(POD);
    },
  );

  // A pod that reports the run_id of the new primary is not the new primary.
  it.each(['10.0.0.9', 'redis-1.redis.other.svc.cluster.local', 'redis-2.redis.shop.svc'])(
    'is not a pod at another address than %s',
    async (ip) => {
      await expect(found({ ip })).rejects.toThrow(/Service|selector/i);
    },
  );

  it('is unknown if a restarted Sentinel reports the former one, without a run_id', async () => {
    await expect(found({ ip: FORMER.host, runid: '' })).rejects.toThrow('no Sentinel reports');
  });
});
