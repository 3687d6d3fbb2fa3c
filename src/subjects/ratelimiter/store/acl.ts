/**
 * The rights that the operator's user needs in Redis, for the whole of a run.
 * As in docs and manifests; what a refused user is told to grant.
 */
export const REDIS_ACL =
  '-@all +client|pause +client|unpause +client|list +ping +info +time +set +get +hgetall ~chaosdemo:probe:* %R~rl:* resetchannels';
