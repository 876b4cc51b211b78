/** The command line as it is published: from an empty folder by npx, and in a project that has it. */

import type { Row } from '../rows.ts'

const SEED = `import { createCacheManager } from '@larder/core'
import { redisStore } from '@larder/redis-store'

export const caches = createCacheManager({
  namespace: 'matrix-cli',
  remote: redisStore({ url: process.env.REDIS_URL }),
})
`

const FILL = `import { caches } from './larder.config.mjs'
await caches.ready()
await caches.cache('products').set('42', { price: 7 }, { tags: ['shop:7'] })
await caches.close()
`

const NAMED = { LARDER_NAMESPACE: 'matrix-cli' }

export const commandLineRows: readonly Row[] = [
  {
    name: 'The command line, by npx and in a project',
    tools: 'newest',
    isCore: true,
    sources: {},
    files: {
      'package.json': '{ "private": true, "type": "module" }',
      'larder.config.mjs': SEED,
      'fill.js': FILL,
    },
    commands: [
      { line: ['node', 'fill.js'] },
      { line: ['larder', '--help'], prints: 'Usage: larder COMMAND' },
      // The configuration file of the folder is found: the variable with the URL stands behind it.
      {
        line: ['larder', 'show', 'products:42', '--values', '--config', 'larder.config.mjs'],
        prints: 'price: 7',
      },
      {
        line: ['larder', 'explain', 'products:42', '--json'],
        env: NAMED,
        prints: '"outcome":"hit"',
      },
      { line: ['larder', 'doctor'], byNpx: true, env: NAMED, prints: 'No faults' },
      {
        line: ['larder', 'clear', '--yes', '--json'],
        byNpx: true,
        env: NAMED,
        prints: '"cleared":"*"',
      },
      {
        line: ['larder', 'explain', 'products:42', '--json'],
        env: NAMED,
        prints: '"reason":"namespace-cleared"',
      },
    ],
  },
]
