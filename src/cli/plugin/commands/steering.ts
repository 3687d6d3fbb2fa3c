/** `advance`, `abort` and `rerun`: each sets one annotation that the operator acts on. */
import type { Command } from 'commander';
import { ANNOTATIONS, type ChaosDemo } from '../../../api/index.ts';
import { EXIT } from '../../exit-status.ts';
import { annotate, existingDemo } from '../demos.ts';
import { abortOf, advanceOf, rerunOf, type Steering } from '../steer.ts';
import {
  type CommandContext,
  type CommandText,
  clusterCommand,
  newRequest,
  ONLY_ONE,
  print,
  withConnection,
} from './command.ts';

export function addAdvance(program: Command, context: CommandContext): void {
  addSteering(program, context, 'advance', advanceOf, {
    name: 'advance',
    summary: 'Let a run continue that waits for you',
    examples: ['kubectl chaosdemo advance demo -n ratelimiter'],
    notes: `Sets ${ANNOTATIONS.advance} to <run>/<chapter> of the chapter in which the run waits (spec.pace.mode: Manual).`,
  });
}

export function addAbort(program: Command, context: CommandContext): void {
  addSteering(program, context, 'abort', abortOf, {
    name: 'abort',
    summary: 'Stop a run, release its fault and restore',
    examples: ['kubectl chaosdemo abort demo -n ratelimiter'],
    notes: `Sets ${ANNOTATIONS.abort} to the number of the active run.`,
  });
}

export function addRerun(program: Command, context: CommandContext): void {
  addSteering(program, context, 'requestedAt', (demo) => rerunOf(demo, newRequest()), {
    name: 'rerun',
    summary: 'Run again, without a change of the spec',
    examples: [
      'kubectl chaosdemo rerun demo -n ratelimiter',
      'kubectl chaosdemo rerun demo && kubectl chaosdemo wait demo',
    ],
    notes: `Sets ${ANNOTATIONS.requestedAt} to a new value. An active run is stopped first.`,
  });
}

function addSteering(
  program: Command,
  context: CommandContext,
  annotation: keyof typeof ANNOTATIONS,
  steering: (demo: ChaosDemo, kubectl: string) => Steering,
  text: CommandText,
): void {
  clusterCommand(program, text)
    .argument('[name]', ONLY_ONE)
    .action(
      withConnection(context, async (connection, _options, given) => {
        const { signal } = context;
        const demo = await existingDemo(connection, given, signal);
        const { name } = demo.metadata;
        const { value, does } = steering(demo, connection.kubectl);
        await annotate(connection, name, annotation, value, signal);
        print(`${connection.namespace}/${name} ${does} (${ANNOTATIONS[annotation]}=${value})`);
        return EXIT.done;
      }),
    );
}
