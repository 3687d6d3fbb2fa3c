/** A key-value service as a subject. */
import type { Subject } from '../../../../src/engine/subject.ts';
import type { Cluster } from '../../../../src/subjects/cluster.ts';
import { KeyValueConnector } from './connector.ts';
import { keyValueDefinition } from './definition.ts';

export const keyValue: Subject<Cluster> = {
  definition: keyValueDefinition,
  connect: (ports) => new KeyValueConnector(ports),
};
