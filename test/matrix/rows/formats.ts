/** Both module formats in one process. */

import type { Row } from '../rows.ts'

const ONE_COPY = `import { equal, ok } from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
let compared = 0
for (const name of readdirSync('node_modules/@larder')) {
  const folder = 'node_modules/@larder/' + name
  const { exports, peerDependenciesMeta = {} } = JSON.parse(readFileSync(folder + '/package.json', 'utf8'))
  // What is for a framework that is not installed here has rows of its own.
  const unlessOptional = (error) => {
    const [, missing] = /^Cannot find package '([^']+)'/.exec(error.message) ?? []
    if (peerDependenciesMeta[missing]?.optional !== true) throw error
  }
  for (const [path, { require: other }] of Object.entries(exports)) {
    const entry = '@larder/' + name + path.slice(1)
    const there = await import(entry).catch(unlessOptional)
    if (there === undefined) continue
    compared += 1
    for (const [key, value] of Object.entries(there)) equal(require(entry)[key], value, entry + ' ' + key)
    // The CommonJS build has the same in it.
    equal(Object.keys(require('./' + folder + other.default.slice(1))).sort().join(), Object.keys(there).sort().join(), entry)
    ok(readFileSync(folder + other.types.slice(1), 'utf8') !== '')
  }
}
ok(compared > 10, String(compared))
console.log('one copy')
`

const TWO_COPIES = `import { equal, notEqual, ok, rejects } from 'node:assert/strict'
import * as core from '@larder/core'
import * as stores from '@larder/local-store'
import * as copy from './copy.cjs'

notEqual(copy.core.LarderError, core.LarderError)
ok(new copy.core.NoLockError() instanceof core.NoLockError)
ok(!(new copy.core.NoLockError() instanceof core.ClosedError))

// The manager is one copy's, the decorators are the other's.
class Rows {
  loads = 0
  async find(id) {
    this.loads += 1
    return id
  }
}
const plain = Object.getOwnPropertyDescriptor(Rows.prototype, 'find')
const decorate = copy.core.Cacheable({ cache: 'rows', key: (id) => id })
Object.defineProperty(Rows.prototype, 'find', decorate(Rows.prototype, 'find', plain))
const caches = core.createCacheManager({ namespace: 'two', local: stores.lruStore() })
const rows = new Rows()
await rows.find('1')
await rows.find('1')
equal(rows.loads, 1)
await core.cached(rows, 'find').evict('1')
await rows.find('1')
equal(rows.loads, 2)

const other = copy.core.createCacheManager({ namespace: 'two', default: false, local: copy.stores.lruStore() })
await caches.locks.run('job', { lease: '10s' }, async () => {
  equal(copy.core.currentLock(), core.currentLock())
  const second = other.locks.run('job', { lease: '10s', wait: 0 }, async () => {})
  await rejects(second, (error) => error instanceof core.LockTimeoutError)
})
await caches.close()
await other.close()
console.log('two copies meet')
`

export const formatRows: readonly Row[] = [
  {
    name: 'Two module formats in one process',
    tools: 'usual',
    isCore: true,
    sources: {},
    files: {
      'package.json': '{ "private": true, "type": "module" }',
      'one.js': ONE_COPY,
      'two.js': TWO_COPIES,
      'entry.cjs':
        "exports.core = require('@larder/core')\nexports.stores = require('@larder/local-store')\n",
    },
    commands: [
      { line: ['node', 'one.js'], prints: 'one copy' },
      { line: ['esbuild', 'entry.cjs', '--bundle', '--platform=node', '--outfile=copy.cjs'] },
      { line: ['node', 'two.js'], prints: 'two copies meet' },
    ],
  },
]
