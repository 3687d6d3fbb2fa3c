import { Option } from 'commander';
import { terminalLines } from '../../../api/index.ts';
import { PROBE_OPTIONS } from '../../probe/options.ts';
import { type InitOptions, writeDemo } from '../init/init.ts';
import type { ClusterCommand } from './command.ts';

export const init: ClusterCommand<InitOptions> = {
  name: 'init',
  summary: 'Write a ChaosDemo for an API of the cluster, from its objects and from the responses of one pod',
  examples: [
    'kubectl chaosdemo init -l app=api -n shop --path /items --yes --save api.yaml',
    'kubectl chaosdemo init -l app=api -n shop --port 8080 --key-header X-Api-Key --yes',
  ],
  notes: `Finds pods, port, Redis and health path, sends requests with new keys through a port forward, and changes
nothing in the cluster. Reads no value of a Secret. Each line of the output is found, measured, or a guess.

Exit status: 0 written, 2 not, 64 wrong usage, 130 stopped by Ctrl-C.`,
  options: [
    new Option('-l, --selector <labels>', 'labels of the pods, such as app=api').makeOptionMandatory(),
    new Option('--port <port>', 'number or name of the port (default: the only one of the containers)'),
    new Option('--path <path>', 'path of the request that counts').default('/'),
    new Option('--redis <service>', 'Service of Redis, as NAME or NAME:PORT (default: found)'),
    ...PROBE_OPTIONS,
    new Option('--yes', 'send the requests (default: state how many they can be, and end)'),
    new Option('--save <file>', 'write the ChaosDemo to this file (default: standard output)'),
  ],
  async run({ connection, options, signal }) {
    const note = (line: string): void => void process.stderr.write(`${terminalLines(line)}\n`);
    return await writeDemo({ ...connection, signal, note }, options);
  },
};
