/** Carries a plan out: waits for the moment of each step, and does it. */
import type { Demos } from '../kit/demos.ts';
import { until } from '../kit/until.ts';
import type { Lane } from './lane.ts';
import type { Plan } from './plan.ts';
import type { Passed } from './proxies/weather.ts';
import { now, type StepTaken, type TortureRecord } from './record.ts';
import type { OperatorReplica } from './replica.ts';
import type { Step } from './step.ts';

/** For as long a person tries. */
const OBJECT_MS = 15_000;

/** What a plan is carried out on. */
export interface Cast {
  readonly lanes: readonly Lane[];
  readonly replicas: readonly OperatorReplica[];
  readonly demos: readonly Demos[];
  /** Kills the API server, and starts it again after `ms`; undefined where it is not ours to kill. */
  readonly killApiServer: ((ms: number) => Promise<void>) | undefined;
}

export class Director {
  readonly #cast: Cast;
  readonly #record: TortureRecord;
  readonly #name: string;
  readonly #say: (line: string) => void;
  readonly #timers: NodeJS.Timeout[] = [];
  /** Steps that wait for something to pass a proxy. */
  readonly #waiting: Step[];
  readonly #underWay = new Set<Promise<void>>();
  /** Processes that are killed or frozen just now: nothing else is done to them during that. */
  readonly #busy = new Set<string>();

  /** Timers run from here on. `name`: of the object of each lane. */
  constructor(
    plan: Plan,
    cast: Cast,
    record: TortureRecord,
    { name, say }: { readonly name: string; readonly say: (line: string) => void },
  ) {
    this.#cast = cast;
    this.#record = record;
    this.#name = name;
    this.#say = say;
    this.#waiting = plan.steps.filter(({ when }) => 'boundary' in when);
    for (const step of plan.steps) {
      if ('afterMs' in step.when) this.#timers.push(setTimeout(() => this.#take(step), step.when.afterMs));
    }
  }

  /** As `Passing` of the proxies. */
  async passing(lane: number, { boundary, passed }: Passed): Promise<'pass' | 'drop'> {
    let dropped = false;
    for (const step of this.#waiting.slice()) {
      const { action, when } = step;
      if (step.lane !== lane || !('boundary' in when)) continue;
      if (when.boundary !== boundary || when.passed !== passed) continue;
      this.#waiting.splice(this.#waiting.indexOf(step), 1);
      const taken = this.#take(step);
      // What a killed process was about to send never left it.
      if (taken && !passed && action.to === 'operator' && action.what === 'kill') {
        dropped ||= action.which !== 'standby';
      }
    }
    return dropped ? 'drop' : 'pass';
  }

  /** No further step begins; resolves when those under way are over. */
  async end(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#waiting.length = 0;
    await Promise.all(this.#underWay);
  }

  /** Begins the step at once. False where it cannot be done to what it is meant for. */
  #take(step: Step): boolean {
    const { action } = step;
    let taken = false;
    for (const { whom, act } of this.#actsOf(step)) {
      const exclusive = action.to === 'operator' || action.what === 'kill' || action.what === 'freeze';
      if (exclusive && this.#busy.has(whom)) continue;
      if (exclusive) this.#busy.add(whom);
      taken = true;
      const note = this.#record.note<StepTaken>({ kind: 'step', at: now(), step, whom });
      this.#say(`${whom} ${action.what}${step.forMs > 0 ? ` ${step.forMs} ms` : ''}`);
      const done = act()
        .catch((error: unknown) => {
          note.failed = true;
          this.#say(`${whom} ${action.what} did not go: ${String(error)}`);
        })
        .finally(() => {
          note.endedAt = now();
          if (exclusive) this.#busy.delete(whom);
          this.#underWay.delete(done);
        });
      this.#underWay.add(done);
    }
    return taken;
  }

  #actsOf({ action, forMs, lane: number }: Step): { whom: string; act: () => Promise<void> }[] {
    const lane = this.#cast.lanes[number];
    const demos = this.#cast.demos[number];
    if (!lane || !demos) throw new RangeError(`there is no lane ${number}`);
    const named = (whom: string, act: () => Promise<void>) => [{ whom: `${whom} of lane ${number}`, act }];
    const begun = (begin: () => void) => async (): Promise<void> => {
      begin();
      await new Promise((resolve) => setTimeout(resolve, forMs));
    };
    switch (action.to) {
      case 'operator':
        return this.#chosen(action.which).map((replica) => ({
          whom: replica.identity,
          act: () => replica[action.what](forMs),
        }));
      case 'api':
        return this.#chosen(action.which).map(({ identity, proxy }) => ({
          whom: `API server for ${identity}`,
          act: begun(() => proxy.begin(action.what, forMs)),
        }));
      case 'api-server': {
        const kill = this.#cast.killApiServer;
        return kill ? [{ whom: 'API server', act: () => kill(forMs) }] : [];
      }
      case 'node': {
        const act = action.what === 'kill' ? lane.killNode : lane.freezeNode;
        return named(`node ${action.node}`, () => act.call(lane, action.node, forMs));
      }
      case 'redis': {
        const act = action.what === 'kill' ? lane.killRedis : lane.freezeRedis;
        return named('Redis', () => act.call(lane, forMs));
      }
      case 'fault-proxy':
        return named('fault proxy', () => lane.killFaultProxy(forMs));
      case 'redis-link':
        return named(
          'link to Redis',
          begun(() => {
            for (const proxy of lane.redisProxies) proxy.begin(action.what, forMs);
          }),
        );
      case 'node-link': {
        const proxy = lane.nodeProxies[action.node];
        return proxy
          ? named(
              `link to node ${action.node}`,
              begun(() => proxy.begin(action.what, forMs)),
            )
          : [];
      }
      case 'object':
        return named('object', async () => {
          const act = async (): Promise<true> => {
            if (action.what === 'abort') await demos.annotate(this.#name, 'abort', '1');
            else await demos.remove(this.#name);
            return true;
          };
          // The API server may be away, or the object gone.
          await until(act, { what: `${action.what} of ${this.#name}`, deadlineMs: OBJECT_MS });
        });
      default:
        return action satisfies never;
    }
  }

  #chosen(which: 'leader' | 'standby' | 'both'): OperatorReplica[] {
    const byLease = this.#cast.replicas.toSorted((a, b) => b.proxy.leasedAt - a.proxy.leasedAt);
    if (which === 'both') return byLease;
    return byLease.slice(which === 'leader' ? 0 : 1, which === 'leader' ? 1 : 2);
  }
}
