/** Finds what the limiters of other languages run on; Java is installed where this machine allows it. */
import { attempt, compareVersions, findInPath, type StepOptions } from '@chaosdemo/testbed';
import { installMissing } from '../../tools/binaries/debian-packages.ts';
import { fixOf, ToolError } from '../../tools/errors.ts';

/** Packages of the survey no longer support older ones. */
const oldestPython = '3.11';
const oldestJava = 17;

/** A Python from PATH that can make virtual environments. Throws RUNTIME_MISSING with what was found instead. */
export async function findPython(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const reasons: string[] = [];
  for (const name of ['python3', 'python3.13', 'python3.12', 'python3.11', 'python']) {
    const path = await findInPath(name, env);
    if (!path) continue;
    const { ok, stdout, errorText } = await attempt(path, ['-c', question], { env });
    const version = stdout.trim();
    if (ok && compareVersions(version, oldestPython) >= 0) return path;
    reasons.push(ok ? `${path} is ${version}` : `${path}: ${errorText}`);
  }
  const found = reasons.join('; ') || 'none is in PATH';
  throw new ToolError(
    'RUNTIME_MISSING',
    `Python ${oldestPython} or later with venv is needed (Debian: apt-get install python3-venv): ${found}`,
  );
}

const question = 'import ensurepip, platform, venv; print(platform.python_version())';

/** A JDK and Maven in PATH: those of this machine, else Debian's packages when root. Throws RUNTIME_MISSING. */
export async function ensureJava(options: StepOptions): Promise<{ env: NodeJS.ProcessEnv }> {
  const { env = process.env } = options;
  const missing = await whatJavaLacks(env);
  if (!missing) return { env };
  const packages = ['default-jdk-headless', 'maven'];
  await installMissing(
    { fix: fixOf('RUNTIME_MISSING'), found: missing, packages, what: "Debian's packages of a JDK and Maven" },
    options,
  );
  const still = await whatJavaLacks(env);
  if (still) throw new ToolError('RUNTIME_MISSING', still);
  return { env };
}

async function whatJavaLacks(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { ok, stdout, stderr } = await attempt('javac', ['-version'], { env });
  const version = Number(/javac (\d+)/.exec(stdout + stderr)?.[1]);
  if (!ok) return 'no JDK is in PATH';
  if (version < oldestJava) return `javac is ${version}, older than ${oldestJava}`;
  return (await findInPath('mvn', env)) ? undefined : 'no Maven is in PATH';
}
