/**
 * The operator: watches ChaosDemos, leads or waits to lead, and shuts down in this sequence: no new work, faults
 * released, events written, lease released.
 */

import { once } from 'node:events';
import type { KubeApi } from '@chaosdemo/kube-runtime';
import {
  EventRecorder,
  LeaderElector,
  objectKey,
  Reflector,
  resourcePath,
  Store,
} from '@chaosdemo/kube-runtime';
import type { ChaosDemo } from '../api/index.ts';
import { ANNOTATIONS, GROUP, RELEASE, RELEASE_ANNOTATION } from '../api/index.ts';
import type { Subject } from '../engine/subject.ts';
import type { Cluster } from '../subjects/cluster.ts';
import { startHttpServer } from './adapters/http-server.ts';
import { createKillSwitch } from './adapters/kill-switch.ts';
import { createKubeCluster } from './adapters/kube-cluster.ts';
import { CHAOS_DEMO_TYPE, createKubeDemoApi } from './adapters/kube-demo-api.ts';
import { createSystemClock } from './adapters/system-clock.ts';
import type { Config } from './config.ts';
import { createKubeEvidence } from './evidence/kube-evidence.ts';
import type { Logger } from './log.ts';
import { createMetrics } from './metrics/metrics.ts';
import { Leadership } from './shell/leadership.ts';

/**
 * How long the events of a shutdown may take after the end of a term: in all less than terminationGracePeriodSeconds.
 * Milliseconds.
 */
const EVENTS_MS = 4000;

/** Name of the Lease by which one of several replicas leads. */
const LEADER_LEASE = 'chaosdemo-operator';

/**
 * Runs until `signal` aborts and shutdown is complete.
 *
 * @param subjects what may be tested
 * @throws if it cannot start, for example because the HTTP port is taken.
 */
export async function runOperator(
  config: Config,
  client: KubeApi,
  logger: Logger,
  signal: AbortSignal,
  subjects: readonly Subject<Cluster>[],
): Promise<void> {
  if (client.warning !== undefined) logger.warn({}, client.warning);
  const clock = createSystemClock();
  const watches = new AbortController();
  const electing = new AbortController();
  const metrics = createMetrics(
    {
      queueDepth: () => leadership.term?.depth ?? 0,
      activeRuns: () => leadership.term?.reconciler.activeRuns ?? 0,
      waitingRuns: () => leadership.term?.reconciler.waitingRuns ?? 0,
      demos: () => stores.flatMap((store) => store.list()),
      now: Date.now,
    },
    subjects.map(({ definition }) => definition.api),
  );
  client.observe(metrics.requested);
  const events = new EventRecorder({
    client,
    logger,
    reportingController: `${GROUP}/operator`,
    reportingInstance: config.identity,
  });

  const namespaces = config.watchNamespaces.length > 0 ? config.watchNamespaces : [undefined];
  const annotations = Object.values(ANNOTATIONS);
  const stores: Store<ChaosDemo>[] = [];
  const reflectors = namespaces.map((namespace) => {
    const path = resourcePath(CHAOS_DEMO_TYPE, { namespace });
    const store = new Store<ChaosDemo>(logger);
    stores.push(store);
    return new Reflector<ChaosDemo>({ client, path, store, logger, annotations });
  });
  const killSwitch = createKillSwitch({ client, logger }, config.namespace, () => leadership.enqueueAll());
  const elector = config.leaderElection
    ? new LeaderElector({
        client,
        logger,
        namespace: config.namespace,
        name: LEADER_LEASE,
        identity: config.identity,
        annotations: { [RELEASE_ANNOTATION]: RELEASE },
        leaseDurationMs: config.leaseDurationMs,
        onStartedLeading() {
          // No work of this process is in progress yet, and its machine may have slept.
          clock.follow();
          leadership.begin();
        },
        onStoppedLeading: () => void leadership.end({ release: false }),
      })
    : undefined;
  const leads = (): boolean => elector?.isLeader() ?? !electing.signal.aborted;
  const api = createKubeDemoApi(client, (key) =>
    stores.map((store) => store.get(key)).find((demo) => demo !== undefined),
  );
  const evidence = createKubeEvidence(client);
  const leadership = new Leadership({
    ...config,
    api,
    evidence,
    clock,
    logger,
    recorders: { events, metrics },
    // New connections of the subjects: a wait for a lock in one term must not affect another.
    connect(hasLead) {
      const cluster = createKubeCluster(client, clock, logger, hasLead);
      const ports = { cluster, clock, faultCooldownMs: config.faultCooldownMs, logger };
      return subjects.map((subject) => ({ ...subject, connector: subject.connect(ports) }));
    },
    processLeads: leads,
    killSwitchIsOn: killSwitch.isOn,
    keys: () => stores.flatMap((store) => store.list().map(objectKey)),
    onChange(leads) {
      metrics.setLeader(leads);
      if (leads) logger.info('leading: reconciling ChaosDemos');
    },
  });
  for (const store of stores) store.subscribe(({ object }) => leadership.enqueue(objectKey(object)));

  const watched = [...reflectors, killSwitch.reflector];
  const http = await startHttpServer({
    host: config.httpHost,
    port: config.httpPort,
    isReady: () => watched.every((each) => each.hasSynced()),
    registry: metrics.registry,
  });
  logger.info({ port: http.port, namespaces: config.watchNamespaces }, 'watching ChaosDemos');

  const watching = watched.map((each) => each.run(watches.signal));
  let leading: Promise<void> = Promise.resolve();
  try {
    const ready = AbortSignal.any([signal, watches.signal]);
    await Promise.all(watched.map((each) => each.waitForSync(ready)));
    if (elector) leading = elector.run(electing.signal);
    else leadership.begin();
    if (!signal.aborted) await once(signal, 'abort');
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    logger.info('stopping: no new work; releasing active faults');
    // A frozen process may have lost the lead: active faults then belong to another.
    await leadership.end({ release: elector?.isLeader() ?? true });
    await events.stop(EVENTS_MS);
    electing.abort();
    await leading;
    watches.abort();
    await Promise.all(watching);
    await http.close();
    logger.info('stopped');
  }
}
