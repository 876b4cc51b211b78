/** Limits in frameworks, boards, metrics and spans, with types that are checked as strictly as can be; and what each subpath needs to be there. */

import type { Row } from '../rows.ts'

const LIMITED = 'each lets a client ask once'
const TRACED = 'one trace of a request and its load'
const COLLECTED = 'collected as it was counted'
const SCRAPED = 'scraped as it was counted'
const RANKED = 'ranked and counted'
const SHARED = 'shared and bounded'
const QUEUED = 'queued and written'
const TOLD = 'told and handled'

/** The declarations of the packages are checked too. */
const config = (module: string, files: readonly string[], more: object = {}): string =>
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
      ...more,
    },
    files,
  })

const FORMATS = ['ES modules', 'CommonJS'] as const
const MODULE_TYPES = { 'ES modules': 'module', CommonJS: 'commonjs' } as const

/** A project whose sources are built with strict types, and then run, each with what it has to print. */
const built = (
  row: Pick<Row, 'tools' | 'needsNode'> & { name: string; format: keyof typeof MODULE_TYPES },
  {
    sources,
    files = {},
    runs,
  }: {
    sources: readonly string[]
    files?: Readonly<Record<string, string>>
    runs: Readonly<Record<string, string>>
  },
): Row => ({
  name: `${row.name}, ${row.format}`,
  tools: row.tools,
  needsNode: row.needsNode,
  sources: Object.fromEntries(sources.map((file) => [file, file])),
  extensions: 'js',
  files: {
    'package.json': `{ "private": true, "type": "${MODULE_TYPES[row.format]}" }`,
    'tsconfig.json': config('nodenext', Object.keys(runs)),
    ...files,
  },
  commands: [
    { line: ['tsc'] },
    ...Object.entries(runs).map(([file, prints]) => ({
      line: ['node', `out/${file.replace('.ts', '.js')}`],
      prints,
    })),
  ],
})

const SPANS = { 'tracing.ts': TRACED, 'collected.ts': COLLECTED }

/** The third major of the SDK, in place of `sdk.ts`, which is the second. */
const SDK_3 = `import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())

export const exporter = new InMemorySpanExporter()
export const tracerProvider = new TracerProvider({
  spanProcessors: [new SimpleSpanProcessor({ exporter })],
})
`

const observedRows = (format: keyof typeof MODULE_TYPES): readonly Row[] => [
  built(
    { name: 'OpenTelemetry, SDK 2', tools: 'tracing', format },
    { sources: ['tracing.ts', 'collected.ts', 'sdk.ts'], runs: SPANS },
  ),
  built(
    { name: 'OpenTelemetry, SDK 3', tools: 'tracing3', needsNode: '22.15', format },
    { sources: ['tracing.ts', 'collected.ts'], files: { 'sdk.ts': SDK_3 }, runs: SPANS },
  ),
  built(
    { name: 'Prometheus, both clients', tools: 'scraping', format },
    { sources: ['metrics.ts'], runs: { 'metrics.ts': SCRAPED } },
  ),
]

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

const CONFIG = `import { createCacheManager } from '@larder/core'
import { redisStore } from '@larder/redis-store'

export const caches = createCacheManager({
  namespace: 'matrix-application',
  remote: redisStore({ url: process.env.REDIS_URL }),
})
`
const FILL = `import { caches } from './larder.config.mjs'
await caches.ready()
await caches.cache('products').set('42', { price: 7 })
await caches.close()
`

/** Everything beside each other in one project, as in an application that uses all of it. */
const applicationRow: Row = {
  name: 'An application with limits in each framework and Nest, metrics, a trace and the command line',
  tools: 'application',
  sources: Object.fromEntries(
    ['limits', 'nest', 'service', 'check', 'metrics', 'tracing', 'sdk'].map((name) => [
      `${name}.ts`,
      `${name}.ts`,
    ]),
  ),
  extensions: 'js',
  files: {
    'package.json': '{ "private": true, "type": "module" }',
    'tsconfig.json': config('nodenext', ['limits.ts', 'nest.ts', 'metrics.ts', 'tracing.ts'], {
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      // The declarations of Nest do not bear it.
      skipLibCheck: true,
    }),
    'larder.config.mjs': CONFIG,
    'fill.mjs': FILL,
  },
  commands: [
    { line: ['tsc'] },
    { line: ['node', 'out/limits.js'], prints: LIMITED },
    { line: ['node', 'out/nest.js'], prints: 'checked in Nest' },
    { line: ['node', 'out/metrics.js'], prints: SCRAPED },
    { line: ['node', 'out/tracing.js'], prints: TRACED },
    { line: ['node', 'fill.mjs'] },
    { line: ['larder', 'doctor', '--config', 'larder.config.mjs'], prints: 'No faults' },
    {
      line: ['larder', 'explain', 'products:42', '--json', '--config', 'larder.config.mjs'],
      prints: '"outcome":"hit"',
    },
    { line: ['larder', 'clear', '--yes', '--config', 'larder.config.mjs'] },
  ],
}

export const frameworkRows: readonly Row[] = [
  ...FORMATS.map((format) =>
    built(
      { name: 'Limits in Express, Fastify and Hono', tools: 'frameworks', format },
      { sources: ['limits.ts'], runs: { 'limits.ts': LIMITED } },
    ),
  ),
  ...FORMATS.map((format) =>
    built(
      { name: 'Leaderboards, counters and unique visitors', tools: 'newest', format },
      { sources: ['boards.ts'], runs: { 'boards.ts': RANKED } },
    ),
  ),
  ...FORMATS.map((format) =>
    built(
      { name: 'Maps, sets and lists', tools: 'newest', format },
      { sources: ['structures.ts'], runs: { 'structures.ts': SHARED } },
    ),
  ),
  ...(['5', '6'] as const).flatMap((major) =>
    FORMATS.map((format) =>
      built(
        { name: `Write-behind, also to BullMQ ${major}`, tools: `bullmq${major}`, format },
        { sources: ['write-behind.ts'], runs: { 'write-behind.ts': QUEUED } },
      ),
    ),
  ),
  ...FORMATS.map((format) =>
    built(
      { name: 'Streams, topics and event stores', tools: 'newest', format },
      { sources: ['messaging.ts'], runs: { 'messaging.ts': TOLD } },
    ),
  ),
  ...FORMATS.flatMap(observedRows),
  applicationRow,
  {
    name: 'Limits and metrics where neither a framework nor a client is installed',
    tools: 'newest',
    isCore: true,
    sources: {},
    files: { 'package.json': '{ "private": true, "type": "module" }', 'alone.js': ALONE },
    commands: [{ line: ['node', 'alone.js'], prints: 'nothing else is needed' }],
  },
]
