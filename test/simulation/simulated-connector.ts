/** How one term of one process gets at the simulated service. */
import type { Target } from '../../src/engine/observed.ts';
import type { AdmissionRequest, Admitted, SubjectConnector } from '../../src/engine/subject.ts';
import type { ProcessClock } from './process-clock.ts';
import { SimulatedDriver } from './simulated-driver.ts';
import type { SimulatedTarget } from './simulated-target.ts';

export class SimulatedConnector implements SubjectConnector {
  readonly #targetOf: (owner: string) => SimulatedTarget;
  readonly #clock: ProcessClock;

  /** @param target what every object is about, or says so of the object `namespace/name` */
  constructor(target: SimulatedTarget | ((owner: string) => SimulatedTarget), clock: ProcessClock) {
    this.#targetOf = typeof target === 'function' ? target : () => target;
    this.#clock = clock;
  }

  async admit(request: AdmissionRequest, signal: AbortSignal): Promise<Admitted> {
    const owner = `${request.namespace}/${request.name}`;
    const target = this.#targetOf(owner);
    target.admissions += 1;
    await this.#clock.sleep(target.behaviour.effectMs, signal);
    const open = (): Omit<NonNullable<Admitted['opened']>, 'lock'> => ({
      target: describe(target),
      driver: new SimulatedDriver(target, this.#clock, request),
    });
    if (target.admission.state !== 'granted') {
      const toUndo = request.mustUndo && target.admission.state === 'refused';
      return { admission: target.admission, ...(toUndo && { opened: open() }) };
    }
    if (target.lockedBy !== undefined && target.lockedBy !== owner) {
      const message = `the target is in use by ${target.lockedBy}`;
      return { admission: { state: 'waiting', reason: 'TargetInUse', message } };
    }
    const lock = target.lockFor(owner, this.#clock);
    return { admission: { state: 'granted' }, opened: { ...open(), lock } };
  }

  async findPodTemplate(namespace: string): Promise<string | undefined> {
    const target = this.#targetOf(`${namespace}/`);
    await this.#clock.sleep(target.behaviour.effectMs, new AbortController().signal);
    return target.podTemplate;
  }

  async forget(): Promise<void> {}
}

function describe({ nodes, podTemplate }: SimulatedTarget): Target {
  const pods = nodes.map((name, index) => ({ name: name.slice(0, 253), uid: String(index), imageId: 'i' }));
  return { pods, store: 'store-0', ...(podTemplate === undefined ? {} : { podTemplate }) };
}
