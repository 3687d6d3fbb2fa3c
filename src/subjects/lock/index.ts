/** Locks and semaphores behind HTTP as a subject: importing it opens no connection. */
import { counted } from '../../api/index.ts';
import type { Subject, SubjectDefinition } from '../../engine/subject.ts';
import { PodsConnector } from '../admission/connector.ts';
import type { Cluster } from '../cluster.ts';
import { connectionsOf } from '../connections.ts';
import { definitionOf } from '../run/definition.ts';
import { podsOf } from '../scenarios/scenario-type.ts';
import { plansOf } from '../scenarios/subject-kind.ts';
import { lockApi } from './api.ts';
import { lockKind } from './kind.ts';
import { lockOf } from './spec/schema.ts';

const definition: SubjectDefinition = {
  ...definitionOf(lockKind, lockApi),
  welcome(spec, target) {
    const { slots, ttl = '-' } = lockOf(spec);
    const faults = plansOf(lockKind, spec).map(({ faultTitle }) => faultTitle);
    return `Lock with ${counted(slots, 'slot')}, ttl ${ttl}: ${podsOf(target)}, in ${target?.store ?? 'their Redis'}. ${faults.join('. Then: ')}`;
  },
};

export const lock: Subject<Cluster> = {
  definition,
  connect: (ports) => new PodsConnector(lockKind, ports, connectionsOf(ports)),
};
