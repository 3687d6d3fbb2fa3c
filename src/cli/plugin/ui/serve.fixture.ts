/** A source of objects for tests of the page: a recorded run, as it ended and while it was on. */
import type { ChaosDemo } from '../../../api/index.ts';
import { recordedRun } from '../../report/report.fixture.ts';
import type { ReportSource } from '../../report/report.ts';
import { demoWith, evidenceOfRun, statusInFault } from '../../view/status.fixture.ts';
import type { Change, FoundEvidence, Overview, UiSource } from './source.ts';

/** In the first fault. */
export function runOn(): ReportSource {
  const demo: ChaosDemo = demoWith(statusInFault());
  return { demo, evidence: evidenceOfRun() };
}

export function overviewOfAll(): Overview {
  const row = {
    namespace: 'ratelimiter',
    name: 'demo',
    phase: 'Succeeded',
    reason: 'ExpectationsMet',
    chapter: 'Demo Complete',
    asExpected: '2/2',
    run: '1',
    age: '5m',
    message: '2 of 2 scenarios ended as expected.',
  };
  const on = {
    ...row,
    name: 'gate',
    phase: 'Running',
    reason: 'Running',
    chapter: 'Setup',
    asExpected: '0/2',
    run: '3',
    message: '',
  };
  return { namespace: undefined, isCut: false, isOneOfAll: false, rows: [row, on] };
}

/** Answers from memory, and tells of changes when it is told to. */
export class MemorySource implements UiSource {
  readonly followers = new Set<(change: Change) => void>();
  readonly sources = new Map<string, ReportSource>([
    ['ratelimiter/demo', recordedRun()],
    ['ratelimiter/gate', runOn()],
  ]);
  list: Overview = overviewOfAll();
  failure: Error | undefined;

  async overview(): Promise<Overview> {
    if (this.failure) throw this.failure;
    return this.list;
  }

  async run({ name, namespace }: { name: string; namespace: string }): Promise<ReportSource | undefined> {
    if (this.failure) throw this.failure;
    return this.sources.get(`${namespace}/${name}`);
  }

  async runs(): Promise<readonly number[]> {
    return [2, 1];
  }

  async evidence(place: { name: string; namespace: string }, run: number): Promise<FoundEvidence> {
    const evidence = run > 2 ? undefined : this.sources.get(`${place.namespace}/${place.name}`)?.evidence;
    return evidence ? { evidence } : { missing: 'there is no ConfigMap', isAbsent: true };
  }

  async follow(_: unknown, onChange: (change: Change) => void, signal: AbortSignal): Promise<void> {
    this.followers.add(onChange);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.followers.delete(onChange);
  }
}
