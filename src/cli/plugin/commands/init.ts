import type { Command } from 'commander';
import { terminalLines } from '../../../api/index.ts';
import { withProbeOptions } from '../../probe/options.ts';
import type { Place } from '../connection.ts';
import { type InitOptions, init } from '../init/init.ts';
import { type CommandContext, clusterCommand, withConnection } from './command.ts';

export function addInit(program: Command, context: CommandContext): void {
  const command = clusterCommand(program, {
    name: 'init',
    summary: 'Write a ChaosDemo for an API of the cluster, from its objects and from the answers of one pod',
    examples: [
      'kubectl chaosdemo init deploy/api -n shop --path /items --save api.yaml',
      'kubectl chaosdemo init -l app=api -n shop --port 8080 --key-header X-Api-Key',
    ],
    notes: `Finds pods, port, Redis and health path, sends requests with new keys through a port forward, and changes
nothing in the cluster. Reads no value of a Secret. Each line of the output is found, measured, or a guess.

Exit status: 0 written, 2 not, 64 wrong usage, 130 stopped by Ctrl-C.`,
  })
    .argument('[workload]', 'deploy/NAME, statefulset/NAME or daemonset/NAME')
    .option('-l, --selector <labels>', 'labels of the pods, such as app=api, instead of a workload')
    .option('--port <port>', 'number or name of the port (default: the only one of the containers)')
    .option('--path <path>', 'path of the request that counts', '/')
    .option('--redis <service>', 'Service of Redis, as NAME or NAME:PORT (default: found)')
    .option('--operator-namespace <name>', 'namespace of the operator', 'chaosdemo-system');
  withProbeOptions(command)
    .option('--yes', 'send the requests without a question')
    .option('--save <file>', 'write the ChaosDemo to this file (default: standard output)')
    .action(
      withConnection<Place & InitOptions & { operatorNamespace: string }>(
        context,
        async ({ client, config, kubectl, namespace }, options, workload) => {
          const note = (line: string): void => void process.stderr.write(`${terminalLines(line)}\n`);
          const { signal } = context;
          return await init(
            { client, config, kubectl, namespace, system: options.operatorNamespace, signal, note },
            { ...options, ...(workload !== undefined && { workload }) },
          );
        },
      ),
    );
}
