/** Stands where the suite looks for express-session: the same, with a store of Larder where it would use its own. */

const session = require('express-session')
const { makeExpressStore, makesIds } = require(process.env.SUITE_STORES)

const newIdOf = new WeakMap()

function MemoryStore() {
  const { store, newId } = makeExpressStore()
  newIdOf.set(store, newId)
  return store
}

function withLarder(options) {
  const store = options?.store ?? new MemoryStore()
  const newId = newIdOf.get(store)
  const ids = makesIds && newId !== undefined ? { genid: newId } : {}
  return session({ ...ids, ...options, store })
}

module.exports = Object.assign(withLarder, session, { MemoryStore })
