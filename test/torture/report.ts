/** The report of a torture. */
import type { Entry } from './record.ts';
import type { RoundResult } from './round.ts';
import { kindOf, lineOf } from './step.ts';

/** How far around something wrong the record is shown; milliseconds. */
const AROUND_MS = 1500;
const MOST_LINES = 40;

/** What is wrong, the plan, and the record around the first of it. */
export function excerptOf({ plan, record, wrong }: RoundResult): string[] {
  const lines = wrong.map(({ check, lane, message }) => `  WRONG, lane ${lane}, ${check}: ${message}`);
  const [first] = wrong;
  if (!first) return lines;
  lines.push(`  Again: npm run torture -- --seed ${plan.seed}. Its plan:`);
  for (const step of plan.steps) lines.push(`    ${lineOf(step)}`);
  lines.push('  Seen around the first of it:');
  const near = record.entries
    .filter((entry) => Math.abs(entry.at - first.at) < AROUND_MS && entry.kind !== 'check')
    .filter((entry) => !('lane' in entry) || entry.lane === first.lane)
    .sort((a, b) => a.at - b.at);
  for (const entry of near.slice(0, MOST_LINES)) {
    lines.push(`    ${(entry.at - first.at).toFixed(0).padStart(6)} ms ${wordsOf(entry)}`);
  }
  return lines;
}

function wordsOf(entry: Entry): string {
  switch (entry.kind) {
    case 'version': {
      const { status } = entry.object;
      return `${entry.type} ${status?.phase}, ${status?.chapter}: ${status?.message ?? ''}`;
    }
    case 'done':
      return `Redis carried out CLIENT ${entry.what.toUpperCase()}`;
    case 'sent':
      return `an operator sent ${entry.args.join(' ')}`;
    case 'check':
      return `check of ${entry.key} at node ${entry.node}: ${entry.status}`;
    case 'write':
      return `a write took ${entry.tookMs.toFixed(0)} ms${entry.lost ? ' and its connection was lost' : ''}`;
    case 'port':
      return `the fault proxy ${entry.accepts ? 'accepted' : 'refused'} a connection`;
    case 'failover':
      return `Sentinel ${entry.sentinel} ${entry.what} a failover`;
    case 'request':
      return `${entry.replica}: ${entry.method} ${entry.path} ${entry.status}${entry.forged ? ' (forged)' : ''}`;
    case 'step':
      return `STEP ${entry.whom}: ${lineOf(entry.step)}`;
    case 'lost':
      return `${entry.name} ended unexpectedly: ${entry.how}`;
    case 'stood-still':
      return `the observer stood still for ${entry.ms.toFixed(0)} ms`;
    default:
      return entry satisfies never;
  }
}

/** Counts over all runs. */
export class Summary {
  readonly #steps = new Map<string, number>();
  readonly #ends = new Map<string, number>();
  #runs = 0;
  #wrong = 0;

  add({ ends, record, wrong }: RoundResult): void {
    this.#runs += 1;
    this.#wrong += wrong.length;
    for (const { failed, step } of record.of('step')) {
      if (!failed) increase(this.#steps, kindOf(step.action));
    }
    for (const end of ends) increase(this.#ends, end);
  }

  /** Things that were wrong. */
  get wrong(): number {
    return this.#wrong;
  }

  lines(): string[] {
    const disturbances = [...this.#steps.values()].reduce((sum, count) => sum + count, 0);
    return [
      `${disturbances} disturbances in ${this.#runs} runs; ${this.#wrong} wrong`,
      ...table(this.#steps),
      'Objects ended',
      ...table(this.#ends),
    ];
  }
}

function increase(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function table(counts: ReadonlyMap<string, number>): string[] {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `  ${name.padEnd(26)} ${count}`);
}
