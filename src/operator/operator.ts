/**
 * The operator as a whole: watches ChaosDemos, leads or waits to lead, and in
 * the end stops in order: no new work, faults released, events written, lease
 * given back.
 */
import type { Logger } from 'pino';
import type { ChaosDemo } from '../api/index.ts';
import { ANNOTATIONS, GROUP } from '../api/index.ts';
import type { KubeClient } from '../kube/client.ts';
import { Controller } from '../kube/controller.ts';
import { EventRecorder } from '../kube/events.ts';
import { objectKey } from '../kube/kube-types.ts';
import { LeaderElector } from '../kube/leader-election.ts';
import { Reflector } from '../kube/reflector.ts';
import { resourcePath } from '../kube/resource-path.ts';
import { Store } from '../kube/store.ts';
import type { Config } from './config.ts';
import { startHttpServer } from './http-server.ts';
import { KillSwitch } from './kill-switch.ts';
import { createMetrics } from './metrics.ts';
import { CHAOS_DEMO_TYPE, Reconciler } from './reconciler.ts';

/** Name of the Lease by which one of several replicas leads. */
const LEADER_LEASE = 'chaosdemo-operator';

/** One term of leading: what has to end with it. */
interface Term {
  controller: Controller;
  reconciler: Reconciler;
}

/**
 * Runs until `signal` aborts and everything has stopped in order.
 * @throws when it cannot start: the HTTP port is taken, say.
 */
export async function runOperator(
  config: Config,
  client: KubeClient,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  let term: Term | undefined;
  const watches = new AbortController();
  const metrics = createMetrics({
    queueDepth: () => term?.controller.depth ?? 0,
    activeRuns: () => term?.reconciler.activeRuns ?? 0,
  });
  const onActivity = (activity: string): void => {
    if (activity === 'failed' || activity === 'expired') metrics.watchRestarted();
  };
  const events = new EventRecorder({
    client,
    logger,
    reportingController: `${GROUP}/operator`,
    reportingInstance: config.identity,
  });

  const namespaces = config.watchNamespaces.length > 0 ? config.watchNamespaces : [undefined];
  const stores = namespaces.map(() => new Store<ChaosDemo>(logger));
  const reflectors = namespaces.map((namespace, index) => {
    const path = resourcePath(CHAOS_DEMO_TYPE, { namespace });
    const store = stores[index] as Store<ChaosDemo>;
    const annotations = Object.values(ANNOTATIONS);
    return new Reflector<ChaosDemo>({ client, path, store, logger, onActivity, annotations });
  });
  const killSwitch = new KillSwitch({
    client,
    logger,
    namespace: config.namespace,
    name: config.killSwitch,
    onChange: () => enqueueAll(),
    onActivity,
  });
  const enqueueAll = (): void => {
    for (const store of stores) for (const demo of store.list()) term?.controller.enqueue(objectKey(demo));
  };
  for (const store of stores) store.subscribe(({ object }) => term?.controller.enqueue(objectKey(object)));

  const synced = (): boolean =>
    reflectors.every((reflector) => reflector.hasSynced()) && killSwitch.hasSynced();
  const http = await startHttpServer({
    ...(config.httpHost === undefined ? {} : { host: config.httpHost }),
    port: config.httpPort,
    notReady: () => (synced() ? [] : ['the cache of ChaosDemos and the kill switch']),
    registry: metrics.registry,
  });
  logger.info({ port: http.port, namespaces: config.watchNamespaces }, 'watching ChaosDemos');

  const watching = [...reflectors, killSwitch].map((watch) => watch.run(watches.signal));
  const elector = config.leaderElection
    ? new LeaderElector({
        client,
        logger,
        namespace: config.namespace,
        name: LEADER_LEASE,
        identity: config.identity,
        leaseDurationMs: config.leaseDurationMs,
        renewDeadlineMs: config.renewDeadlineMs,
        retryPeriodMs: config.retryPeriodMs,
        onStartedLeading: (leading) => startTerm(leading),
        onStoppedLeading: () => void endTerm(false),
      })
    : undefined;

  const startTerm = (leading: AbortSignal): void => {
    metrics.setLeader(true);
    const reconciler: Reconciler = new Reconciler({
      client,
      logger,
      audience: { events, metrics },
      read: (key) => stores.map((store) => store.get(key)).find((demo) => demo !== undefined),
      enqueue: (key) => controller.enqueue(key),
      mayAct: () => elector?.isLeader() ?? !leading.aborted,
      killSwitchIsOn: () => killSwitch.isOn(),
    });
    const controller = new Controller({
      name: 'chaosdemo',
      logger,
      concurrency: config.concurrency,
      backoff: { baseMs: 250, maxMs: 30_000 },
      reconcile: (key, stopping) => reconciler.reconcile(key, stopping),
      onReconciled: ({ durationMs, outcome }) => metrics.reconciled(outcome, durationMs),
    });
    term = { controller, reconciler };
    controller.start();
    enqueueAll();
    logger.info('leading: reconciling ChaosDemos');
  };

  const endTerm = async (release: boolean): Promise<void> => {
    const ending = term;
    term = undefined;
    metrics.setLeader(false);
    if (!ending) return;
    // A third for work under way, the rest for proving that what was paused is released.
    await ending.controller.stop(config.shutdownDeadlineMs / 3);
    await ending.reconciler.close({ release, deadlineMs: config.shutdownDeadlineMs / 2 });
  };

  const electing = new AbortController();
  let leading: Promise<void> = Promise.resolve();
  try {
    const ready = AbortSignal.any([signal, watches.signal]);
    await Promise.all([
      ...reflectors.map((reflector) => reflector.waitForSync(ready)),
      killSwitch.waitForSync(ready),
    ]);
    if (elector) leading = elector.run(electing.signal);
    else startTerm(electing.signal);
    await aborted(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    logger.info('stopping: no new work; releasing what is paused');
    // One that was frozen may not lead any more: then what it had is another's.
    await endTerm(elector?.isLeader() ?? true);
    await events.stop(config.shutdownDeadlineMs / 6);
    electing.abort();
    await leading;
    watches.abort();
    await Promise.all(watching);
    await http.close();
    logger.info('stopped');
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
