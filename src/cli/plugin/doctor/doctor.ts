/** `doctor`: why an object does not start, each cause with the command to fix it. */
import { type ChaosDemo, terminalLine } from '../../../api/index.ts';
import { isForbidden } from '../../../kube/api-error.ts';
import { PART } from '../../../subjects/ratelimiter/schema.ts';
import type { Connection } from '../connection.ts';
import { getDemo } from '../demos.ts';
import { EXIT, PluginError } from '../errors.ts';
import { type CheckContext, checked } from './check-context.ts';
import { type Finding, findingLines } from './finding.ts';
import { checkObject } from './object-checks.ts';
import { checkCrd, checkKillSwitch, checkNamespace, checkOperator, checkRights } from './operator-checks.ts';
import { checkRateLimiter } from './subject-checks.ts';

export interface DoctorOptions {
  readonly connection: Connection;
  readonly name: string;
  /** Namespace of the operator. */
  readonly system: string;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Prints its findings. @returns 0 if nothing prevents a run, 1 otherwise */
export async function doctor({ connection, name, print, signal, system }: DoctorOptions): Promise<number> {
  const { client, kubectl, namespace } = connection;
  const findings = await examine({ client, kubectl, namespace, name, system, signal }, connection);
  for (const line of findingLines(findings)) print(terminalLine(line));
  return findings.some(({ state }) => state === 'wrong') ? EXIT.found : EXIT.done;
}

/** All findings, in the order in which to fix them. @throws if the API server cannot be reached at all */
export async function examine(context: CheckContext, connection: Connection): Promise<Finding[]> {
  const crd = await checkCrd(context);
  if (crd.state === 'unknown') throw new PluginError(crd.message);
  const [around, found] = await Promise.all([
    Promise.all([
      checkOperator(context),
      checkKillSwitch(context),
      checkNamespace(context),
      checkRights(context),
    ]),
    crd.state === 'ok'
      ? inspectObject(context, connection)
      : ({ findings: [] } satisfies ObjectInspection as ObjectInspection),
  ]);
  const others = [crd, ...around, ...found.findings];
  return found.demo ? [...others, checkObject(found.demo, context.kubectl, others)] : others;
}

interface ObjectInspection {
  /** Missing if there is no such object; then a finding reports it. */
  readonly demo?: ChaosDemo;
  readonly findings: readonly Finding[];
}

async function inspectObject(context: CheckContext, connection: Connection): Promise<ObjectInspection> {
  let demo: ChaosDemo;
  try {
    demo = await getDemo(connection, context.name, context.signal);
  } catch (error) {
    if (isForbidden(error)) {
      return { findings: [await checked('Object', context, async () => await Promise.reject(error))] };
    }
    if (!(error instanceof PluginError)) throw error;
    const missing = { state: 'wrong', message: `${error.message}. ${error.remedy ?? ''}` } as const;
    return { findings: [await checked('Object', context, async () => missing)] };
  }
  const isRateLimiter = PART in demo.spec;
  return { demo, findings: isRateLimiter ? await checkRateLimiter({ ...context, demo }) : [] };
}
