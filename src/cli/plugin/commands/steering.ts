/** `advance`, `abort` and `rerun`: each sets one annotation that the operator acts on. */
import { ANNOTATIONS, type ChaosDemo } from '../../../api/index.ts';
import { EXIT } from '../../exit-status.ts';
import { annotate } from '../demos.ts';
import { abortOf, advanceOf, rerunOf, type Steering } from '../steer.ts';
import { type ClusterCommand, demoCommand, newRequest, print } from './command.ts';

export const advance = steeringCommand('advance', advanceOf, {
  name: 'advance',
  summary: 'Let a run continue that waits for you',
  examples: ['kubectl chaosdemo advance demo -n ratelimiter'],
  notes: `Sets ${ANNOTATIONS.advance} to <run>/<chapter> of the chapter in which the run waits (spec.pace.mode: Manual).`,
});

export const abort = steeringCommand('abort', abortOf, {
  name: 'abort',
  summary: 'Stop a run, release its fault and restore',
  examples: ['kubectl chaosdemo abort demo -n ratelimiter'],
  notes: `Sets ${ANNOTATIONS.abort} to the number of the active run.`,
});

export const rerun = steeringCommand('requestedAt', (demo) => rerunOf(demo, newRequest()), {
  name: 'rerun',
  summary: 'Run again, without a change of the spec',
  examples: [
    'kubectl chaosdemo rerun demo -n ratelimiter',
    'kubectl chaosdemo rerun demo && kubectl chaosdemo wait demo',
  ],
  notes: `Sets ${ANNOTATIONS.requestedAt} to a new value. An active run is stopped first.`,
});

function steeringCommand(
  annotation: keyof typeof ANNOTATIONS,
  steering: (demo: ChaosDemo, kubectl: string) => Steering,
  text: Omit<ClusterCommand, 'run'>,
): ClusterCommand {
  return demoCommand({
    ...text,
    async run({ connection, signal }, demo) {
      const { name } = demo.metadata;
      const { value, does } = steering(demo, connection.kubectl);
      await annotate(connection, name, annotation, value, signal);
      print(`${connection.namespace}/${name} ${does} (${ANNOTATIONS[annotation]}=${value})`);
      return EXIT.done;
    },
  });
}
