/** Stands where @fastify/session has its store in memory. */

const { EventEmitter } = require('node:events')
const { makeFastifyStore } = require(process.env.SUITE_STORES)

class MemoryStore extends EventEmitter {
  #store = makeFastifyStore().store

  get(id, callback) {
    this.#store.get(id, callback)
  }

  set(id, session, callback) {
    this.#store.set(id, session, callback)
  }

  destroy(id, callback) {
    this.#store.destroy(id, callback)
  }
}

module.exports = Object.assign(MemoryStore, { MemoryStore, Store: MemoryStore })
