/** Cases of the public suites that do not pass against Larder's stores, and why. */

import type { Excuse } from './results.ts'

const OWN_STORE = 'is about the class of the store in memory, and what it keeps inside'
const AT_ONCE =
  'takes a store that answers within the call: it fails in the same way with the store in memory when that answers a turn later'

export const EXCUSED: Readonly<Record<'express' | 'fastify', readonly Excuse[]>> = {
  express: [
    {
      name: 'session() when session without cookie property in store should pass error from inflate',
      reason:
        'takes a session without a cookie as damage; here it is one that was saved by a call that is no request, and it goes on',
    },
  ],
  fastify: [
    ...[
      'MemoryStore.constructor: should accept a Map as internal store',
      'MemoryStore.set: should successfully set a value to sessionId',
      'MemoryStore.get: should successfully get a value for a valid sessionId',
      'MemoryStore.get: should return undefined for an invalid sessionId',
      'MemoryStore.destroy: should remove a sessionId / 1',
      'MemoryStore.destroy: should remove a sessionId / 2',
      'MemoryStore.destroy: should not remove stored sessions if invalidId is provided',
      'should support multiple secrets',
      'regenerate destroys the previous session in the store',
    ].map((name) => ({ name, reason: OWN_STORE })),
    ...[
      'should save the session properly',
      'should generate new sessionId keeping ignoreFields (async)',
      'should decryptSession with custom request object',
      'should decryptSession with custom cookie options',
      'should not reset session cookie expiration if rolling is false',
      'should update the expires property of the session using Session\\#touch() even if rolling is false',
      'Custom options',
    ].map((name) => ({ name, reason: AT_ONCE })),
  ],
}
