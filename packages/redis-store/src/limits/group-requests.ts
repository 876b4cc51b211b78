/** Which calls one script decides. */

/** A longer script keeps other clients waiting; a shorter one has the server wait for this process. */
const CALLS_PER_SCRIPT = 32

interface Keyed {
  readonly key: string
}

/** In their order: where a script's keys may be anywhere. */
export function groupInOrder<Request extends Keyed>(
  requests: readonly Request[],
): readonly (readonly Request[])[] {
  if (requests.length <= CALLS_PER_SCRIPT) return [requests]
  const groups: Request[][] = []
  for (let i = 0; i < requests.length; i += CALLS_PER_SCRIPT)
    groups.push(requests.slice(i, i + CALLS_PER_SCRIPT))
  return groups
}

/** Those of one key together: in a Cluster, where a script's keys have to be in one place. */
export function groupByKey<Request extends Keyed>(
  requests: readonly Request[],
): readonly (readonly Request[])[] {
  const open = new Map<string, Request[]>()
  const groups: Request[][] = []
  for (const request of requests) {
    const group = open.get(request.key)
    if (group !== undefined && group.length < CALLS_PER_SCRIPT) {
      group.push(request)
      continue
    }
    const next = [request]
    open.set(request.key, next)
    groups.push(next)
  }
  return groups
}
