/** Limits in frameworks and spans in OpenTelemetry, with types that are checked as strictly as can be; and what each subpath needs to be there. */

import type { Row } from '../rows.ts'

const PRINTS = 'each lets a client ask once'

/** The declarations of the packages are checked too. */
const config = (module: string, file: string): string =>
  JSON.stringify({
    compilerOptions: {
      module,
      target: 'ES2022',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      types: ['node'],
      rootDir: '.',
      outDir: 'out',
    },
    files: [file],
  })

const frameworkRow = (name: string, type: 'module' | 'commonjs'): Row => ({
  name: `Limits in Express, Fastify and Hono, ${name}`,
  tools: 'frameworks',
  sources: { 'limits.ts': 'limits.ts' },
  extensions: 'js',
  files: {
    'package.json': `{ "private": true, "type": "${type}" }`,
    'tsconfig.json': config('nodenext', 'limits.ts'),
  },
  commands: [{ line: ['tsc'] }, { line: ['node', 'out/limits.js'], prints: PRINTS }],
})

const tracingRow = (name: string, type: 'module' | 'commonjs'): Row => ({
  name: `Spans in OpenTelemetry, ${name}`,
  tools: 'tracing',
  sources: { 'tracing.ts': 'tracing.ts' },
  extensions: 'js',
  files: {
    'package.json': `{ "private": true, "type": "${type}" }`,
    'tsconfig.json': config('nodenext', 'tracing.ts'),
  },
  commands: [
    { line: ['tsc'] },
    { line: ['node', 'out/tracing.js'], prints: 'one trace of a request and its load' },
  ],
})

const ALONE = `import { equal, match } from 'node:assert/strict'
const missing = async (name) => import(name).then(() => false, ({ code }) => code === 'ERR_MODULE_NOT_FOUND')
for (const name of ['express', 'fastify', 'hono', 'connect', 'prom-client', '@opentelemetry/api']) equal(await missing(name), true, name)
for (const name of ['express', 'fastify', 'hono', 'http', 'logging', 'metrics']) await import('@larder/plugins/' + name)
const { createCacheManager } = await import('@larder/core')
const { openTelemetryMetrics } = await import('@larder/plugins/metrics')
const caches = createCacheManager({ namespace: 'alone', plugins: [openTelemetryMetrics()] })
const { error } = await new Promise((resolve) => caches.on('background-error', resolve))
match(error.message, /@opentelemetry\\/api to be installed/)
await caches.close()
console.log('nothing else is needed')
`

export const frameworkRows: readonly Row[] = [
  frameworkRow('ES modules', 'module'),
  frameworkRow('CommonJS', 'commonjs'),
  tracingRow('ES modules', 'module'),
  tracingRow('CommonJS', 'commonjs'),
  {
    name: 'Limits and metrics where neither a framework nor a client is installed',
    tools: 'newest',
    isCore: true,
    sources: {},
    files: { 'package.json': '{ "private": true, "type": "module" }', 'alone.js': ALONE },
    commands: [{ line: ['node', 'alone.js'], prints: 'nothing else is needed' }],
  },
]
