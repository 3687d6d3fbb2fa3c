/** Finds the boundary in the life of an effect that a written status is. */
import type { ChaosDemoStatus } from '../../../src/api/index.ts';
import type { Boundary } from '../step.ts';

/** A status on its way to the API server. */
export interface StatusWrite {
  readonly namespace: string;
  readonly name: string;
  readonly boundary: Extract<Boundary, 'announce' | 'proof' | 'verdict'> | undefined;
  /** What is known once it is stored, so that the same is no boundary again. */
  readonly marks: readonly string[];
}

export class BoundaryFinder {
  readonly #known = new Set<string>();

  /** Undefined for any other request. */
  statusWrite(method: string, path: string, body: Buffer): StatusWrite | undefined {
    const found = /\/namespaces\/([^/]+)\/chaosdemos\/([^/]+)\/status$/.exec(path);
    if (method !== 'PATCH' || !found) return undefined;
    const [, namespace = '', name = ''] = found;
    const { metadata, status } = JSON.parse(body.toString()) as {
      metadata: { uid: string };
      status: ChaosDemoStatus;
    };
    const marks: string[] = [];
    let boundary: StatusWrite['boundary'];
    const isNew = (mark: string): boolean => {
      marks.push(mark);
      return !this.#known.has(mark);
    };
    for (const { fault } of status.scenarios ?? []) {
      if (!fault) continue;
      const id = `${metadata.uid} ${fault.id}`;
      if (isNew(`${id} announced`) && !fault.proof) boundary = 'announce';
      if (fault.proof && isNew(`${id} proven`)) boundary = 'proof';
    }
    if (status.run?.completedAt && isNew(`${metadata.uid} ${status.run.number} ended`)) boundary = 'verdict';
    return { namespace, name, boundary, marks };
  }

  /** The API server has it. */
  stored({ marks }: StatusWrite): void {
    for (const mark of marks) this.#known.add(mark);
  }
}
