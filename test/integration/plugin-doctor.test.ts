/**
 * `kubectl chaosdemo doctor` in worlds that are broken in one way each: it finds the cause, and the very command that
 * it prints fixes it, so that the object starts.
 */
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ONE_BURST } from '../kit/demo.ts';
import { rows } from '../kit/nightly.ts';
import { runProgram } from '../kit/program.ts';
import { World } from '../kit/world.ts';
import { startPlugin } from './support/plugin.ts';

let world: World;
beforeAll(async () => {
  world = await World.start('approximate');
});
afterAll(() => world?.stop());

interface Diagnosis {
  readonly status: number | null;
  readonly stdout: string;
  /** Checks that stand in the way. */
  readonly wrong: readonly string[];
  /** The commands that are printed, in their order, as a shell takes them. */
  readonly commands: readonly string[];
}

async function doctor(name: string): Promise<Diagnosis> {
  const args = ['doctor', name, '--operator-namespace', world.environment.system];
  const { status, stderr, stdout } = await startPlugin(world, args).ended;
  expect(stderr).toBe('');
  const lines = stdout.split('\n');
  return {
    status,
    stdout,
    wrong: lines.flatMap((line) => /^✗ (.*?) {2}/.exec(line)?.[1] ?? []),
    commands: lines.filter((line) => /^ +kubectl /.test(line)).map((line) => line.trim()),
  };
}

/** Runs a printed command in a shell, as its reader does. */
async function shell(command: string): Promise<void> {
  const { binary, kubeconfig } = world.environment.controlPlane.kubectl;
  const env = {
    PATH: `${dirname(binary)}:${process.env['PATH']}`,
    HOME: dirname(kubeconfig),
    KUBECONFIG: kubeconfig,
    KUBERC: 'off',
    PASSWORD: world.environment.redisUsers.operator.password,
  };
  const { status, stderr } = await runProgram('/bin/sh', ['-c', command], { env });
  expect(stderr).toBe('');
  expect(status).toBe(0);
}

/** A run that waits in its first chapter. */
const WAITING = { pace: { mode: 'Manual' } };

interface BrokenWorld {
  /** What is broken, for the name of the test. */
  readonly it: string;
  readonly break?: () => Promise<unknown>;
  /** The checks that fail; what the operator itself says of it is among them. */
  readonly check: string;
  readonly says: RegExp;
  readonly fixedBy: RegExp;
}

const WORLDS: readonly BrokenWorld[] = [
  {
    it: 'the RoleBinding is missing',
    break: () => world.kubectl('delete', 'rolebinding', 'chaosdemo-target'),
    check: 'Object',
    says: /\(PermissionDenied\): the operator cannot /,
    fixedBy: /^kubectl create rolebinding /,
  },
  {
    it: 'the kill switch is active',
    break: async () => {
      const { system } = world.environment;
      const create = ['create', 'configmap', 'chaosdemo-kill-switch', '--from-literal=stop=true'];
      await world.environment.controlPlane.kubectl.run(['-n', system, ...create]);
    },
    check: 'Kill switch',
    says: /stops every run/,
    fixedBy: /^kubectl .* delete configmap chaosdemo-kill-switch/,
  },
  {
    it: 'the namespace lacks the label',
    break: () => world.kubectl('label', 'namespace', world.namespace, 'chaosdemo.dev/enabled-'),
    check: 'Admission',
    says: /is not enabled for chaos/,
    fixedBy: /^kubectl -n \S+ label namespace /,
  },
  {
    it: 'the Secret is missing',
    break: () => world.kubectl('delete', 'secret', 'redis-auth'),
    check: 'Admission',
    says: /there is no Secret redis-auth/,
    fixedBy: /^kubectl .* create secret generic redis-auth /,
  },
];

it('the doctor finds nothing in a healthy world', async () => {
  await world.applySpec('well', ONE_BURST);
  await world.ended('well');
  const { commands, status, stdout, wrong } = await doctor('well');
  expect(wrong).toEqual([]);
  expect(stdout).toContain('No problem found.');
  expect(stdout).toMatch(/run 1 of well .*: Succeeded/);
  expect(commands).toEqual([`kubectl chaosdemo rerun well -n ${world.namespace}`]);
  expect(status).toBe(0);
});

it('client, operator and CRD of one build are of one version', async () => {
  const system = world.environment.system;
  const { status, stdout } = await startPlugin(world, ['version', '--operator-namespace', system]).ended;
  expect(stdout.match(/^✓ (?:Client|Operator|CRD) .*\b\d+\.\d+\.\d+/gm)).toHaveLength(3);
  expect(status).toBe(0);
});

it.each(rows(WORLDS, 3))('finds that $it, with the command that fixes it', async (broken) => {
  const name = `broken-${WORLDS.indexOf(broken)}`;
  await broken.break?.();
  await world.applySpec(name, WAITING);
  const { commands, status, stdout, wrong } = await doctor(name);
  expect(status).toBe(1);
  expect(wrong).toContain(broken.check);
  expect(stdout).toMatch(broken.says);
  const of = new RegExp(`^✗ ${broken.check} .*\n((?: +kubectl .*\n)*)`, 'm').exec(stdout)?.[1] ?? '';
  // A command of the operator is at the end of its message.
  const [, ofOperator] = new RegExp(`^✗ ${broken.check} .*(kubectl create .*)`, 'm').exec(stdout) ?? [];
  const fixCommands =
    ofOperator === undefined ? commands.filter((command) => of.includes(command)) : [ofOperator];
  expect(fixCommands[0]).toMatch(broken.fixedBy);
  for (const command of fixCommands) await shell(command);
  await world.untilWaiting(name, 1);
  expect((await doctor(name)).wrong).toEqual([]);
  await world.delete(name);
});

it('the doctor reports that no operator leads after it is gone', async () => {
  await world.killOperator();
  const { stdout, wrong } = await doctor('well');
  expect(wrong).toEqual(['Operator']);
  expect(stdout).toMatch(/no process .*Lease chaosdemo-operator/);
});
