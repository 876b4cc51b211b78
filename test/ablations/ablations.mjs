/**
 * The mechanisms of the coherence protocol, each with the edit that removes it.
 *
 * `tests` are the files that must then turn red. `buys: 'latency'` marks mechanisms that make things faster but are not
 * needed for correctness: with those removed, the suite must stay green.
 */

const INVARIANTS = 'test/coherence/invariants.test.ts'
const TRAPS = 'test/traps/traps.test.ts'
const CORE = 'packages/core/src'

export const ABLATIONS = [
  {
    name: 'lease check at the fill',
    protects: 'I2',
    file: 'packages/redis-store/src/scripts.generated.ts',
    find: 'if not head or head.token ~= token then return 0 end',
    replace: 'head = head or { flags = 0, created = 0, lives = 0 }',
    tests: INVARIANTS,
  },
  {
    name: 'early birth (the tag clock is read after the load instead)',
    protects: 'I2',
    file: `${CORE}/cache/keep.ts`,
    find: 'birth: stamp.birth,',
    replace: 'birth: node.coherence.tags.now,',
    also: [
      {
        file: `${CORE}/cache/load-path.ts`,
        find: 'storedForm(call.policy, kept, stamp.birth, encoded)',
        replace: 'storedForm(call.policy, kept, coherence.tags.now, encoded)',
      },
    ],
    tests: INVARIANTS,
  },
  {
    name: 'flight kill',
    protects: 'I1',
    file: `${CORE}/cache/flight.ts`,
    find: 'if (flight !== undefined && flight.stamp.seq < seq) this.detach(flight)',
    replace: '',
    tests: INVARIANTS,
  },
  {
    name: 'flights that began before a tag was invalidated are not shared',
    protects: 'I1',
    file: `${CORE}/cache/read-path.ts`,
    find: 'if (flight.stamp.changes === this.#node.coherence.changes) {',
    replace: 'if (flight !== undefined) {',
    tests: INVARIANTS,
  },
  {
    name: 'comparing heads (loss of the last message)',
    protects: 'I3',
    file: `${CORE}/coherence/partitions.ts`,
    find: "return head > this.seq ? 'behind' : 'history-lost'",
    replace: "return 'level'",
    tests: INVARIANTS,
  },
  {
    name: 'comparing the tag clock',
    protects: 'I3',
    file: `${CORE}/coherence/coherence.ts`,
    find: 'if (head.version > this.tags.confirmed || head.floor > this.tags.floor) {',
    replace: 'if (this.tags.confirmed === 0) {',
    tests: INVARIANTS,
  },
  {
    name: 'trust ends at maxStaleness',
    protects: 'I3',
    file: `${CORE}/cache/judge.ts`,
    find: "if (!isTrusted(entry, call, node, now)) return 'unverified'",
    replace: '',
    tests: INVARIANTS,
  },
  {
    name: 'single flight in the process',
    protects: 'I4',
    file: `${CORE}/cache/flight.ts`,
    find: 'return this.#flights.get(key)',
    replace: 'return undefined',
    tests: INVARIANTS,
    // With one flight a caller, the lease still allows one load; what goes is the sharing of round trips.
    buys: 'latency',
  },
  {
    name: 'lease across nodes',
    protects: 'I4',
    file: 'packages/redis-store/src/scripts.generated.ts',
    find: 'and head.deadline > now',
    replace: 'and false',
    tests: INVARIANTS,
  },
  {
    name: 'taking over a stuck lease',
    protects: 'I4',
    file: `${CORE}/cache/read-path.ts`,
    find: 'overtake = leftMs <= 0 ? reply.holder : 0',
    replace: 'overtake = 0',
    tests: INVARIANTS,
  },
  {
    name: 'giving the lease back after an error',
    protects: 'I4',
    file: `${CORE}/cache/load-path.ts`,
    find: 'if (!lease.isSpent) lease.release()',
    replace: '',
    tests: INVARIANTS,
  },
  {
    name: 'refusing bytes that are no entry',
    protects: 'I5',
    file: `${CORE}/entry/envelope.ts`,
    find: 'return bytes.length >= HEADER_BYTES && bytes[0] === MAGIC && bytes[1] === FORMAT_VERSION',
    replace: 'return bytes.length > 0',
    tests: INVARIANTS,
  },
  {
    name: 'the floor of the tag clock',
    protects: 'I6',
    file: `${CORE}/coherence/tag-clock.ts`,
    find: 'if (birth < this.#floor) return false',
    replace: '',
    tests: INVARIANTS,
  },
  {
    name: 'doubting entries after lost history',
    protects: 'I6',
    file: `${CORE}/coherence/partitions.ts`,
    find: 'this.generation += 1',
    replace: '',
    tests: INVARIANTS,
  },
  {
    name: 'running waiting evictions before trusting',
    protects: 'I6',
    file: `${CORE}/coherence/coherence.ts`,
    find: 'await this.#drainQueue()',
    replace: '',
    tests: INVARIANTS,
  },
  {
    name: 'capping the logs',
    protects: 'I7',
    file: 'packages/redis-store/src/scripts.generated.ts',
    find: 'if excess > 0 then\n    local last',
    replace: 'if false then\n    local last',
    tests: INVARIANTS,
  },
  {
    name: 'evicting when a put failed',
    protects: 'I3',
    file: `${CORE}/cache/write-path.ts`,
    find: 'coherence.enqueue([address])',
    replace: '',
    tests: TRAPS,
  },
  {
    name: 'catching up at once after a gap',
    protects: 'I3',
    file: `${CORE}/coherence/coherence.ts`,
    find: "if (fit === 'gap') work.run('catch-up', this.#catchUp(partition, 'gap'))",
    replace: '',
    tests: INVARIANTS,
    buys: 'latency',
  },
  {
    name: 'the second local delete of an evict (its own message does the same)',
    protects: 'I1',
    file: `${CORE}/coherence/coherence.ts`,
    find: '} finally {\n      // Again',
    replace: '} finally {\n      if (keys.length < 0)\n      // Again',
    tests: INVARIANTS,
    buys: 'latency',
  },
]
