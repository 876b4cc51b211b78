/** Locks that exclude nobody, for a manager that is switched off: every attempt is granted at once. */

import type { LockProvider } from '../contracts/lock-provider.ts'

export function noLocks(): LockProvider {
  let fence = 0
  return {
    name: 'off',
    // Every request is granted.
    capabilities: {
      shared: false,
      queues: true,
      replicas: true,
      weights: true,
      modes: ['write', 'read', 'permit'],
    },
    open() {},
    async acquire() {
      fence += 1
      return { kind: 'granted', fence }
    },
    renew: async () => true,
    release: async () => true,
    async leave() {},
    inspect: async () => ({ holders: [], fence, waiting: 0 }),
    async close() {},
  }
}
