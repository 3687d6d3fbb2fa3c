/** How one term of one process gets at the simulated service. */
import type { Target } from '../../demo/observed.ts';
import type { AdmissionRequest, Admitted, SubjectConnector } from '../../demo/subject.ts';
import type { ProcessClock } from './process-clock.ts';
import { SimulatedDriver } from './simulated-driver.ts';
import type { SimulatedTarget } from './simulated-target.ts';

export class SimulatedConnector implements SubjectConnector {
  readonly #target: SimulatedTarget;
  readonly #clock: ProcessClock;

  constructor(target: SimulatedTarget, clock: ProcessClock) {
    this.#target = target;
    this.#clock = clock;
  }

  async admit(request: AdmissionRequest, signal: AbortSignal): Promise<Admitted> {
    const target = this.#target;
    target.admissions += 1;
    await this.#clock.sleep(target.behaviour.effectMs, signal);
    const owner = `${request.namespace}/${request.name}`;
    const open = (): Omit<NonNullable<Admitted['opened']>, 'lock'> => ({
      target: this.#describe(),
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

  async findPodTemplate(): Promise<string | undefined> {
    await this.#clock.sleep(this.#target.behaviour.effectMs, new AbortController().signal);
    return this.#target.podTemplate;
  }

  async forget(): Promise<void> {}

  #describe(): Target {
    const { nodes, podTemplate } = this.#target;
    const pods = nodes.map((name, index) => ({ name: name.slice(0, 253), uid: String(index), imageId: 'i' }));
    return { pods, store: 'store-0', ...(podTemplate === undefined ? {} : { podTemplate }) };
  }
}
