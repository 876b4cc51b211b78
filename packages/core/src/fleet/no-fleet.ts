/** A fleet of nobody, for a manager that is switched off. */

import type { FleetProvider } from '../contracts/fleet-provider.ts'

export function noFleet(): FleetProvider {
  return {
    name: 'off',
    capabilities: { shared: false },
    open() {},
    beat: async () => true,
    async leave() {},
    list: async () => ({ nowMs: 0, heartbeats: [] }),
    async close() {},
  }
}
