/** `doctor`: why an object does not start, each cause with the command that mends it. */
import { terminalLine } from '../../../api/index.ts';
import { MEMBER } from '../../../subjects/ratelimiter/schema.ts';
import type { Connection } from '../connection.ts';
import { getDemo } from '../demos.ts';
import { EXIT, PluginError } from '../errors.ts';
import { type Finding, findingLines } from './finding.ts';
import { checkObject } from './object-checks.ts';
import { checkCrd, checkKillSwitch, checkNamespace, checkOperator, checkRights } from './operator-checks.ts';
import { checked, type Scene } from './scene.ts';
import { checkRateLimiter } from './subject-checks.ts';

export interface DoctorOptions {
  readonly connection: Connection;
  readonly name: string;
  /** Namespace of the operator. */
  readonly system: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Says what it found. @returns 0 where nothing stands in the way of a run, 1 where something does */
export async function doctor({ connection, name, say, signal, system }: DoctorOptions): Promise<number> {
  const { client, kubectl, namespace } = connection;
  const findings = await examine({ client, kubectl, namespace, name, system, signal }, connection);
  for (const line of findingLines(findings)) say(terminalLine(line));
  return findings.some(({ state }) => state === 'wrong') ? EXIT.found : EXIT.done;
}

/** All findings, in the order in which to mend. @throws where the API server cannot be reached at all */
export async function examine(scene: Scene, connection: Connection): Promise<Finding[]> {
  const crd = await checkCrd(scene);
  if (crd.state === 'unknown') throw new PluginError(crd.message);
  const around = Promise.all([
    checkOperator(scene),
    checkKillSwitch(scene),
    checkNamespace(scene),
    checkRights(scene),
  ]);
  const [found, ...others] = await Promise.all([
    crd.state === 'ok' ? lookAtObject(scene, connection) : [],
    around,
  ]);
  return [crd, ...others.flat(), ...found];
}

async function lookAtObject(scene: Scene, connection: Connection): Promise<Finding[]> {
  let demo: Awaited<ReturnType<typeof getDemo>>;
  try {
    demo = await getDemo(connection, scene.name, scene.signal);
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    const missing = { state: 'wrong', message: `${error.message}. ${error.remedy ?? ''}` } as const;
    return [await checked('Object', scene, async () => missing)];
  }
  const subject = MEMBER in demo.spec.subject ? await checkRateLimiter({ ...scene, demo }) : [];
  return [...subject, checkObject(demo, scene.kubectl)];
}
