/** Where evidence is kept, in memory, and what can go wrong with it. */
import type { ChaosDemo } from '../../src/api/index.ts';
import type { Clock } from '../../src/engine/clock.ts';
import { evidenceName, type ReadEvidence, readRunEvidence } from '../../src/evidence/index.ts';
import type { EvidenceFiles, EvidenceStore } from '../../src/operator/shell/ports.ts';
import type { ProcessClock } from './process-clock.ts';
import { drawSimulated } from './simulated-subject.ts';

interface Stored {
  readonly uid: string;
  /** Uid of the ChaosDemo. */
  readonly owner: string;
  data: Record<string, string>;
}

/** Uid of an object of the same name that was there before. */
export const EARLIER = 'uid-of-an-earlier-object';

export class FakeEvidence {
  /** There and back, in milliseconds. */
  latencyMs = 2;
  /** No call is answered. */
  hangs = false;
  /** Calls fail at once. */
  fails = false;
  /** Why nothing is taken. */
  refusal: string | undefined;
  /** When each write arrived, and which files it had. */
  readonly writes: { readonly at: number; readonly name: string; readonly files: string[] }[] = [];
  /** How often something was to be kept, whatever became of it. */
  tries = 0;
  readonly objects = new Map<string, Stored>();
  readonly #clock: Clock;
  #made = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What stands there of a run, as a reader sees it. */
  async read(demo: string, run: number): Promise<ReadEvidence | undefined> {
    const stored = this.objects.get(evidenceName(demo, run));
    return stored && (await readRunEvidence({ kind: 'ConfigMap', data: stored.data }, drawSimulated));
  }

  /** What one process has of it. */
  connect(process: ProcessClock): EvidenceStore {
    return {
      keep: async (demo, run, files, uid, signal) => {
        this.tries += 1;
        await this.#arrive(process, signal);
        return this.#keep(demo, run, files, uid);
      },
      remove: async (demo, run, signal) => {
        await this.#arrive(process, signal);
        const name = evidenceName(demo.metadata.name, run);
        return this.objects.get(name)?.owner === demo.metadata.uid && this.objects.delete(name);
      },
    };
  }

  async #arrive(process: ProcessClock, signal: AbortSignal): Promise<void> {
    if (this.hangs) await process.sleep(86_400_000, signal);
    await process.sleep(this.latencyMs, signal);
    if (this.fails) throw new Error('no response from the API server');
  }

  #keep({ metadata }: ChaosDemo, run: number, files: EvidenceFiles, uid: string | undefined): string {
    if (this.refusal !== undefined) throw new Error(this.refusal);
    const name = evidenceName(metadata.name, run);
    const known = this.objects.get(name);
    if (uid !== undefined && known?.uid !== uid) throw new Error(`${name} is gone`);
    if (known && known.owner !== metadata.uid) throw new Error(`${name} is not ours`);
    this.#made += 1;
    const object = known ?? { uid: `config-map-${this.#made}`, owner: metadata.uid, data: {} };
    object.data = { ...object.data, ...files };
    this.objects.set(name, object);
    this.writes.push({ at: this.#clock.now(), name, files: Object.keys(files) });
    return object.uid;
  }
}
