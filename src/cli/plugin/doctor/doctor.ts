/** `doctor`: why an object does not start, each cause with the command to fix it. */
import { type ChaosDemo, terminalLine } from '../../../api/index.ts';
import { KINDS } from '../../../subjects/index.ts';
import type { Connection } from '../connection.ts';
import { existingDemo } from '../demos.ts';
import { PluginError } from '../errors.ts';
import { checkAdmission } from './admission-check.ts';
import { type CheckContext, checked } from './check-context.ts';
import { exitOf, type Finding, findingLines, summaryOf } from './finding.ts';
import { checkObject } from './object-checks.ts';
import { checkCrd, checkOperator } from './operator-checks.ts';

export interface DoctorOptions {
  readonly connection: Connection;
  /** Default: the only one of the namespace. */
  readonly name: string | undefined;
  /** Namespace of the operator. */
  readonly system: string;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Prints its findings. @returns the exit status, which follows the worst of them */
export async function doctor(options: DoctorOptions): Promise<number> {
  const findings = await examine(options);
  for (const line of [...findingLines(findings), '', summaryOf(findings)]) options.print(terminalLine(line));
  return exitOf(findings);
}

/** All findings, in the order in which to fix them. @throws if the API server cannot be reached at all */
async function examine({ connection, name, signal, system }: DoctorOptions): Promise<Finding[]> {
  const { client, kubectl, namespace } = connection;
  const context: CheckContext = { client, kubectl, namespace, system, signal };
  const crd = await checkCrd(context);
  if (crd.state === 'unknown') throw new PluginError(crd.message);
  if (crd.state === 'wrong') return [crd];
  let demo: ChaosDemo | undefined;
  const object = await checked('Object', context, async () => {
    try {
      demo = await existingDemo(connection, name, signal);
    } catch (error) {
      if (!(error instanceof PluginError)) throw error;
      return { state: 'wrong', message: [error.message, error.remedy].filter(Boolean).join('. ') };
    }
    return { state: 'ok', message: demo.metadata.name };
  });
  const [operator, target] = await Promise.all([checkOperator(context), checkTarget(context, demo)]);
  const others = [crd, ...operator, ...target];
  return [...others, demo ? checkObject(demo, kubectl, others) : object];
}

async function checkTarget(context: CheckContext, demo: ChaosDemo | undefined): Promise<Finding[]> {
  const isKnown = demo && KINDS.some(({ part }) => part in demo.spec);
  return isKnown ? await checkAdmission({ ...context, demo }) : [];
}
