/**
 * Loaded before the program that bootstrap.mjs starts: ends it in its orderly
 * way when the bootstrap was killed without a chance to pass that on.
 */
const parent = Number(process.env.CHAOSDEMO_PARENT_PID);
// What this program starts has another parent and must not follow this one.
delete process.env.CHAOSDEMO_PARENT_PID;

if (parent) {
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  timer.unref();
}
