import { defineConfig, type OxlintOverride } from 'oxlint';

/** All folders of src above src/api and src/evidence. */
const ABOVE_API = ['engine', 'subjects', 'diagnosis', 'operator', 'fault-proxy', 'local', 'cli'];

/** Packages that only src/cli may import, so the image of the operator has none of them. */
const TERMINAL = ['ink', 'react', 'string-width', 'wrap-ansi'];

/** The entries of the packages that need Kubernetes. */
const KUBE = ['@kubernetes/client-node', '@chaosdemo/kube-runtime', '@chaosdemo/kube-runtime/kubeconfig'];

/** Starts processes and builds programs: only for what runs on the machine of a developer. */
const TESTBED = '@chaosdemo/testbed';
/** The entries of the package that connects to a Redis; its events and its waiting connect to nothing. */
const REDIS = ['ioredis', '@chaosdemo/redis-faults', '@chaosdemo/redis-faults/proxy'];

interface Floor {
  /** Files that this applies to; of several floors of a file the last one counts. */
  readonly files: readonly string[];
  /** Folders of src, or patterns of paths, that these files may not import. */
  readonly not: readonly string[];
  /** Packages that they may not import. */
  readonly packages?: readonly string[];
  readonly because: string;
}

/** The folders of the subjects. */
const SUBJECTS = ['ratelimiter', 'lock'];

/**
 * Inside what all subjects share, and inside each of them, from the lowest floor up: each imports only what is below it,
 * and nothing of another subject.
 */
function insideSubjects(): Floor[] {
  const outer = ['operator', 'local', 'cli'];
  const isolated = (own: string): string[] => [
    ...SUBJECTS.filter((other) => other !== own).map((other) => `**/${other}/**`),
    '!**/test/**',
  ];
  const floor = (
    folder: string,
    above: readonly string[],
    because: string,
    packages: readonly string[] = [],
  ): Floor[] => {
    const not = [...outer, ...above.map((each) => `**/${each}/**`)];
    const rest = { packages: [...KUBE, ...packages], because };
    return [
      { files: [`src/subjects/${folder}/**`], not: [...not, ...isolated('')], ...rest },
      ...SUBJECTS.map((name) => ({
        files: [`src/subjects/${name}/${folder}/**`],
        not: [...not, ...isolated(name)],
        ...rest,
      })),
    ];
  };
  const touching = ['http', 'interfaces', 'controls', 'workloads', 'admission', 'scenarios', 'run'];
  return [
    ...SUBJECTS.map((name) => ({
      files: [`src/subjects/${name}/**`],
      not: [...outer, 'fault-proxy', ...isolated(name)],
      packages: KUBE,
      because: 'a subject knows no other: what they share is in the folders of src/subjects',
    })),
    ...floor(
      'targets',
      ['history', 'checkers', ...touching],
      'a target is pods and a Redis, found by others',
    ),
    ...floor(
      'redis',
      ['diagnosis', 'history', 'checkers', ...touching.filter((folder) => folder !== 'admission')],
      'it finds a Redis in a cluster',
    ),
    ...floor(
      'spec',
      ['redis', 'history', 'checkers', ...touching],
      'the spec is what a user writes: it knows nobody who reads it',
    ),
    ...floor('limits', ['history', 'checkers', ...touching], 'a bound is arithmetic on a limit', REDIS),
    ...floor('history', ['checkers', ...touching], 'a history records, and judges nothing', REDIS),
    ...floor(
      'checkers',
      touching,
      'a checker is a function of a history: no clock, no I/O, no toolkit',
      REDIS,
    ),
    ...floor(
      'http',
      ['interfaces', 'controls', 'workloads', 'admission', 'scenarios', 'run', 'redis'],
      'http speaks to pods, whoever they are',
      REDIS,
    ),
    ...floor(
      'workloads',
      ['controls', 'admission', 'scenarios', 'run', 'redis'],
      'a workload sends requests, and knows no fault',
      REDIS,
    ),
    ...floor(
      'interfaces',
      ['workloads', 'controls', 'admission', 'scenarios', 'run'],
      'an interface is one request in and one outcome out',
    ),
    ...floor('controls', ['admission', 'run'], 'a control sends requests without a fault'),
    ...floor(
      'scenarios',
      ['admission', 'run'],
      'a scenario is one fault and what is seen of it: who runs it is above it',
    ),
    ...floor('run', ['admission'], 'a run has its target found and admitted by others'),
    ...floor('admission', [], 'admission opens the run of a subject, whichever it is'),
  ];
}

/** Which way imports go: docs/architecture.md shows the same as a picture. */
const FLOORS: readonly Floor[] = [
  { files: ['src/**'], not: [], because: '' },
  { files: ['src/cli/**'], not: [], because: '' },
  {
    files: ['src/api/**'],
    not: ABOVE_API,
    packages: KUBE,
    because: 'src/api stands below everything: it imports nothing of ours',
  },
  {
    files: ['src/evidence/**'],
    not: ABOVE_API,
    packages: KUBE,
    because: 'evidence knows no subject and nobody who explains it: src/api only',
  },
  {
    files: ['packages/**'],
    not: ['**/src/*/**', '**/test/**'],
    because: 'a package stands alone: it imports nothing of the product, and other packages by their names',
  },
  {
    files: ['packages/testbed/**'],
    not: ['**/src/*/**', '!**/src/binaries/**', '**/test/**'],
    because: 'a package stands alone: it imports nothing of the product, and other packages by their names',
  },
  {
    files: ['src/engine/**'],
    not: ['subjects', 'diagnosis', 'operator', 'local', 'cli'],
    packages: [...KUBE, ...REDIS, 'undici'],
    because: 'src/engine is the framework: it knows no subject and no Kubernetes',
  },
  {
    files: ['src/subjects/**'],
    not: ['operator', 'fault-proxy', 'local', 'cli'],
    packages: KUBE,
    because: 'a subject stands on src/engine, src/diagnosis and src/api only',
  },
  ...insideSubjects(),
  {
    files: ['src/diagnosis/**'],
    not: ['subjects', 'operator', 'local', 'cli'],
    packages: [...KUBE, ...REDIS],
    because: 'a diagnosis works from observations only: src/engine and src/api',
  },
  {
    files: ['src/fault-proxy/**'],
    not: ['api', 'evidence', ...ABOVE_API.filter((folder) => folder !== 'fault-proxy')],
    packages: [...KUBE, 'ioredis', '@chaosdemo/redis-faults'],
    because: 'the program of the fault proxy is its settings, and the proxy of the package',
  },
  {
    files: ['src/operator/**'],
    not: ['fault-proxy', 'local', 'cli', '**/subjects/**', '!**/subjects/cluster.ts'],
    because: 'the shell runs in a cluster; main.ts passes it the registered subjects',
  },
  {
    files: ['src/operator/serve.ts', 'src/operator/cells/cell.ts'],
    not: ['fault-proxy', 'local', 'cli', '**/subjects/*/**'],
    because: 'the operator runs in a cluster, and takes its subjects from the registry',
  },
  {
    files: ['src/local/**'],
    not: ['cli', 'operator', 'subjects'],
    because: 'src/local starts programs; it does not import them',
  },
  {
    files: ['src/cli/plugin/**', 'src/cli/view/**'],
    not: ['local'],
    because: 'the plugin runs against a cluster of its user: it brings neither a control plane nor limiters',
  },
];

/** The bundles leave the `fetch` of undici out, and that of Node takes no agent of another version. */
const NO_FETCH = { name: 'undici', importNames: ['fetch'], message: 'use `request` of a dispatcher' };

/** The rule of a floor. Nothing in src imports what is outside of src; only its tests import fixtures from test. */
function rules(
  { files, not, packages = [], because }: Floor,
  outside: readonly string[],
): NonNullable<OxlintOverride['rules']> {
  const isCli = files.every((each) => each.startsWith('src/cli/'));
  const isTestbed = files.every((each) => each.startsWith('packages/testbed/'));
  const isLocal = isTestbed || isCli || files.every((each) => each.startsWith('src/local/'));
  const group = not.map((each) => (each.includes('*') ? each : `**/${each}/**`));
  return {
    'no-restricted-imports': [
      'error',
      {
        paths: [...packages, NO_FETCH, ...(isCli ? [] : TERMINAL), ...(isLocal ? [] : [TESTBED])],
        patterns: [
          ...(group.length > 0 ? [{ group, message: because }] : []),
          ...(isCli ? [] : [{ group: ['echarts/**'], message: 'only src/cli draws charts' }]),
          {
            group: outside.map((each) => `**/${each}/**`),
            message: 'src imports packages by name, and nothing else outside of src',
          },
        ],
      },
    ],
  };
}

/** Globs of the tests that globs of files match. */
function testsIn(files: readonly string[]): string[] {
  return files
    .flatMap((file) => (file.endsWith('**') ? TESTS.map((test) => file.replace('**', test)) : file))
    .filter((file) => !file.endsWith('.ts') || /\.(test|fixture)\.ts$/.test(file));
}

const OUTSIDE = ['packages', 'tools', 'survey', 'bench', 'corpus'];
/** Titles of tests have fewer than 80 characters. */
const SHORT = '^.{1,79}$';
const TESTS = ['**/*.test.ts', '**/*.test.tsx', '**/*.fixture.ts'];

export default defineConfig({
  plugins: ['typescript', 'import', 'unicorn', 'oxc', 'vitest'],
  categories: { correctness: 'error', suspicious: 'error', perf: 'warn' },
  env: { node: true, es2024: true },
  ignorePatterns: ['survey/limiters/*/app/**', 'survey/locks/app/**'],
  rules: {
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/consistent-type-imports': 'error',
    'import/no-cycle': 'error',
    'typescript/no-unsafe-type-assertion': 'off',
    'import/no-unassigned-import': 'off',
    'import/no-named-as-default-member': 'off',
    'oxc/no-map-spread': 'off',
    'no-unmodified-loop-condition': 'off',
    'typescript/require-array-sort-compare': 'off',
    'typescript/unbound-method': 'off',
    'no-await-in-loop': 'off',
    'no-console': 'error',
    'no-shadow': 'off',
    'vitest/valid-title': ['error', { mustMatch: { it: SHORT, test: SHORT, describe: SHORT } }],
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    'unicorn/prefer-add-event-listener': 'off',
    'unicorn/no-array-sort': 'off',
    // Of windows; a port of a thread has no origin.
    'unicorn/require-post-message-target-origin': 'off',
    'unicorn/consistent-function-scoping': 'off',
  },
  overrides: [
    ...FLOORS.flatMap((floor) => [
      { files: [...floor.files], excludeFiles: TESTS, rules: rules(floor, [...OUTSIDE, 'test']) },
      { files: testsIn(floor.files), rules: rules(floor, OUTSIDE) },
    ]),
    // Of types as well: what one file needs to know of another goes one way.
    {
      files: ['src/**', 'packages/**', 'tools/**', 'survey/**', 'bench/**'],
      rules: { 'import/no-cycle': ['error', { ignoreTypes: false }] },
    },
    { files: ['src/cli/**', '*.mjs', '**/*.mjs', 'bench/**', 'tools/**'], rules: { 'no-console': 'off' } },
    {
      files: ['**/*.test.ts'],
      rules: {
        'no-console': 'off',
        'unicorn/no-useless-spread': 'off',
        'vitest/no-conditional-expect': 'off',
        'vitest/expect-expect': 'off',
        'vitest/require-mock-type-parameters': 'off',
      },
    },
  ],
});
