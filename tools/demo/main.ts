/** `npm run demo`: the demo with the rate limiters of the survey and the small model of this repository. */
import { runDemo } from '../../src/cli/demo.ts';
import { limiterNames } from '../../survey/runner/limiters.ts';
import { surveyPlan } from '../../survey/runner/plan.ts';
import { ensureControlPlaneBinaries } from '../binaries/control-plane.ts';
import { ensureRedis } from '../binaries/redis.ts';
import { startLocalModel, writeLocalProfile } from '../model/local.ts';

await runDemo({
  limiters: { names: limiterNames(), planOf: surveyPlan },
  ensureRedis,
  ensureApiServer: ensureControlPlaneBinaries,
  startModel: async (supervisor, onProgress, signal) =>
    await writeLocalProfile(await startLocalModel({ supervisor, onProgress, signal }), supervisor),
});
