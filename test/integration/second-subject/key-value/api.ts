/** What a key-value service adds to the API of a ChaosDemo. */
import { z } from 'zod';
import type { ChaosDemoSpec, ScenarioSpec, SubjectApi } from '../../../../src/api/index.ts';
import { durationField, subjectPart } from '../../../../src/api/index.ts';

const labels = z.record(z.string().max(63), z.string().max(63));

const schema = z
  .object({
    selector: z
      .object({ matchLabels: labels.optional() })
      .describe('Labels of the pods of the service.')
      .meta({ 'x-kubernetes-map-type': 'atomic' }),
    port: z.string().max(15).default('http').describe('Name of the port that they answer on.'),
    timeout: durationField('Deadline of every request.', '100ms', '30s').default('2s'),
  })
  .describe('A key-value service of several replicas.');

const staleReplica = z
  .object({
    lasts: durationField('How long a replica takes no writes.', '1s', '1m').default('4s'),
    settle: durationField('How long the invariant is watched after it.', '0s', '1m').default('1s'),
    behind: z.int().min(0).max(1000).default(5).describe('Writes that a replica may be behind.'),
  })
  .describe('Makes one replica deaf to the writes of the others.');

export type KeyValueSpec = z.infer<typeof schema>;
export type StaleReplicaSpec = z.infer<typeof staleReplica>;

export const keyValueApi: SubjectApi = {
  member: 'keyValue',
  displayName: 'key-value service',
  schema,
  rules: [],
  fieldsThatStartNoRun: ['timeout'],
  faults: [
    {
      type: 'StaleReplica',
      member: 'staleReplica',
      schema: staleReplica,
      conditionMeaning: 'A replica served what was overwritten long before.',
      measures: [
        { name: 'behind', unit: 'writes', meaning: 'Acknowledged writes that a replica did not have.' },
      ],
      finding: (result, summary) => `${result} ${summary}`,
    },
  ],
  defaultScenarios: [{ name: 'stale-replica', type: 'StaleReplica' }],
  refusals: ['ServiceInUse'],
  secrets: [],
  histograms: [],
};

/** The service's part of a spec, defaults filled in. */
export function keyValueOf(spec: ChaosDemoSpec): KeyValueSpec {
  return schema.parse(subjectPart(spec, 'keyValue'));
}

/** The parameters of a scenario, defaults filled in. */
export function staleReplicaOf(scenario: ScenarioSpec): StaleReplicaSpec {
  return staleReplica.parse(scenario['staleReplica'] ?? {});
}
