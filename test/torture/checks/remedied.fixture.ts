/** The run of the other sample, with one reset for its first scenario: made by hand, and nothing is wrong with it. */
import { APPLICABLE_ACTION, type ChaosDemoStatus } from '../../../src/api/index.ts';
import { LIMIT, NODES, WINDOW_SEC } from '../settings.ts';
import { BURST_KEY, DRIFT_KEY, endStatus, iso, seenWith, T0 } from './sample.fixture.ts';
import type { Seen } from './seen.ts';

/** When it was announced, sent, reported and removed; milliseconds after T0. */
export const ANNOUNCED = 9000;
export const SENT = 9030;
export const REPORTED = 9300;
export const REMOVED = 9500;
export const REMEDY = '1-drift-1/remedy';
/** The window that it began. */
const FRESH = 'w2-0';

type Remediation = NonNullable<NonNullable<ChaosDemoStatus['diagnoses']>[number]['remediation']>;

/** What the last versions say of the remedy of a scenario. @throws where they say nothing */
export function remediationOf(status: ChaosDemoStatus): Remediation {
  const remediation = status.diagnoses?.[0]?.remediation;
  if (!remediation) throw new Error('there is no remediation');
  return remediation;
}

/** The whole run with a reset, as `change` leaves it. */
export function seenRemedied(change: (seen: Seen) => void = () => {}): Seen {
  const until = iso(ANNOUNCED + 15_000);
  const report: Remediation = { state: 'Applied', message: 'It was done, and measured.', until };
  const applying: Remediation = { state: 'Applying', message: 'Announced.', until };
  const whole = seenWith((record) => {
    const status = (remediation: Remediation): ChaosDemoStatus => {
      const end = endStatus();
      return {
        ...end,
        diagnoses: [{ scenario: 'drift', action: APPLICABLE_ACTION, remediation }] as never,
      };
    };
    const running = (remediation: Remediation): ChaosDemoStatus => {
      const { chapters = [], ...rest } = status(remediation);
      return {
        ...rest,
        phase: 'Running',
        run: { number: 1, startedAt: iso(0) },
        chapters: chapters.map(({ doneAt, ...chapter }, i) =>
          i === 2 ? { ...chapter, state: 'Running' as const } : { ...chapter, ...(doneAt && { doneAt }) },
        ),
      };
    };
    const ended = record.of('version').at(-1);
    if (!ended) throw new Error('the sample has no version');
    const version = (at: number, said: ChaosDemoStatus): void =>
      void record.note({ ...ended, at: T0 + at, object: { ...ended.object, status: said } });
    version(ANNOUNCED + 5, running(applying));
    version(REPORTED, running({ ...report }));
    Object.assign(ended.object, { status: status({ ...report }) });
    record.note({
      kind: 'announced',
      at: T0 + ANNOUNCED,
      lane: 0,
      replica: 'operator-a',
      id: REMEDY,
      key: DRIFT_KEY,
    });
    const request = (at: number, node: number, key: string, windowId: string) => ({
      at: T0 + at,
      passedAt: T0 + at,
      nodeAt: T0 + at + 2,
      answeredAt: T0 + at + 3,
      lane: 0,
      node,
      key,
      windowId,
    });
    const define = (at: number, key: string, windowId: string): void =>
      void record.note({
        kind: 'limit',
        what: 'define',
        ...request(at, 0, key, windowId),
        status: 200,
        limit: LIMIT,
        windowSec: WINDOW_SEC,
      });
    define(500, DRIFT_KEY, 'w-0');
    define(6000, BURST_KEY, 'w-0');
    define(SENT, DRIFT_KEY, FRESH);
    for (let node = 0; node < NODES; node += 1) {
      record.note({
        kind: 'limit',
        what: 'remove',
        ...request(REMOVED, node, DRIFT_KEY, FRESH),
        status: node === 0 ? 200 : 404,
      });
    }
    for (let i = 0; i < NODES; i += 1) {
      record.note({
        kind: 'check',
        ...request(SENT + 20 + i, i, DRIFT_KEY, FRESH),
        status: 200,
        allowed: true,
      });
    }
  });
  const seen: Seen = { ...whole, plan: { ...whole.plan, resets: true } };
  change(seen);
  return seen;
}
