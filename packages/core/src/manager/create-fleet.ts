/** Makes a manager's end of the fleet statistics. */

import type { CacheNode } from '../cache/node.ts'
import { FleetCalls } from '../fleet/fleet-calls.ts'
import { noFleet } from '../fleet/no-fleet.ts'
import { fleetProviderOf } from './fleet-provider-of.ts'
import type { ManagerHealth } from './health.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { nodeReporter } from './node-report.ts'

/** A node reports only with the option `fleet`; any may ask. @throws InvalidOptionError where no store keeps heartbeats */
export function createFleet(
  options: ResolvedManagerOptions,
  node: CacheNode,
  health: () => ManagerHealth,
): FleetCalls {
  const { namespace, fleet, logger, isEnabled } = options
  const calls = new FleetCalls({
    namespace,
    provider: isEnabled ? fleetProviderOf(options) : noFleet(),
    clock: node.clock,
    report: fleet === undefined ? () => '' : nodeReporter(fleet, node, health),
    onFull: (message) => logger.warn(message),
  })
  if (fleet !== undefined && isEnabled) calls.begin(fleet)
  return calls
}
