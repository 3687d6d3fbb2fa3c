import { describe, expect, it } from 'vitest';
import { limiterSpec } from '../../../../test/kit/driven-limiter.ts';
import { type DiagnosisAnswer, gradeAnswer } from '../../../diagnosis/index.ts';
import { EvidenceRecorder } from '../../../evidence/index.ts';
import { plansOf } from '../../scenarios/scenario-type.ts';
import { truthIn } from '../../scenarios/truth.ts';
import { rateLimiterKind } from '../kind.ts';

const ORIGIN = 1_000_000;
const components = [
  { name: 'store', role: 'store' },
  { name: 'replica-1', role: 'replica' },
] as const;

/** What was seen of a fault of 10 s: an event in it, and one long after it. */
function bundle() {
  const recorder = new EvidenceRecorder(components, []);
  recorder.event(ORIGIN + 500, 'store', 'a write was not answered');
  recorder.event(ORIGIN + 60_000, 'store', 'a write was not answered');
  return recorder.bundle(ORIGIN);
}

const citing = (id: string): DiagnosisAnswer => ({
  anomaly: 'store-writes-stalled',
  component: 'store',
  chain: [{ text: 'writes wait', evidence: [id] }],
  action: 'wait',
  confidence: 0.9,
  alternatives: [],
});

describe('what a fault does', () => {
  it.each([
    ['on', {}, { e1: 1, e2: 1 }],
    ['over', { endedAt: ORIGIN + 10_000 }, { e1: 1, e2: 0 }],
  ])('at the store is shown by what lies in its time, where it is %s', (_, end, shown) => {
    const evidence = { bundle: bundle(), originMs: ORIGIN, ...end };
    const truths = truthIn({ anomalies: ['store-writes-stalled'], at: 'store' }, evidence);
    const reasonOf = (id: string): number => gradeAnswer(citing(id), evidence.bundle, truths).reason;
    expect({ e1: reasonOf('e1'), e2: reasonOf('e2') }).toEqual(shown);
  });

  it('has no end if it stays, as what replicas have admitted', () => {
    const evidence = { bundle: bundle(), originMs: ORIGIN, endedAt: ORIGIN + 10_000 };
    const fault = { anomalies: ['uncoordinated-admission'], at: 'replica', stays: true } as const;
    expect(truthIn(fault, evidence)).toEqual([
      { anomaly: 'uncoordinated-admission', components: ['replica-1'], fromMs: 0 },
    ]);
  });

  it.each([
    ['by Sentinel', { sentinel: { serviceName: 'sentinel', masterName: 'limits' } }, ['store-restarted']],
    ['of a Cluster, which loses no write', {}, []],
  ])('is more than one anomaly in a failover %s', (_, redis, more) => {
    const fault = { type: 'Failover', duration: '20s' };
    const spec = limiterSpec({ redis: { serviceName: 'redis', failover: 'Allow', ...redis } }, [
      { name: 'failover', type: 'StoreOutage', storeOutage: { fault } },
    ]);
    const { anomalies, stays } = plansOf(rateLimiterKind, spec)[0]?.truth ?? {};
    expect({ anomalies, stays }).toEqual({ anomalies: ['store-connections-broken', ...more], stays: true });
  });
});
