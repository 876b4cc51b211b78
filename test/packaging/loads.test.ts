/** What is not imported costs nothing: each subpath of the plugins loads what it is about, and no framework that is not there. */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

const PACKAGE = join(import.meta.dirname, '../../packages/plugins')
const { exports } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, { readonly 'larder-source': string }>>
}

/** What must be installed for a subpath beside core. Types are not loaded. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  './compression': [],
  './encryption': [],
  './express': [],
  './fastify': ['fastify-plugin'],
  './hono': [],
  './http': [],
  './http-cache': [],
  './logging': [],
  './messaging': [],
  './metrics': [],
  './boards': [],
  './sessions': [],
  './sessions/express': ['express-session'],
  './sessions/fastify': [],
  './sessions/hono': ['hono/cookie'],
  './structures': [],
  './tracing': ['@opentelemetry/api'],
  './write-behind': [],
  './write-behind/bullmq': ['bullmq'],
}

/** Imports and re-exports that remain when types are gone. */
const LOADING = /^(?:import|export) (?!type\b)(?:[^'"]*? from )?'([^']+)'/gm

function loadedBy(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(LOADING)) {
    if (target.startsWith('.')) loadedBy(join(dirname(file), target), seen)
    else seen.add(target)
  }
  return seen
}

it.each(Object.keys(exports))('%s', (subpath) => {
  const entry = join(PACKAGE, exports[subpath]?.['larder-source'] ?? '')
  const foreign = [...loadedBy(entry)].filter(
    (target) => !target.startsWith('/') && !/^node:|^@larder\/core/.test(target),
  )
  expect(foreign).toEqual(NEEDS[subpath])
})

it('a limit in one framework does not load what the others are made of', () => {
  for (const subpath of ['./express', './hono', './fastify']) {
    const own = subpath.slice(2)
    const files = [...loadedBy(join(PACKAGE, exports[subpath]?.['larder-source'] ?? ''))]
    const rooms = files
      .filter((file) => file.startsWith('/'))
      .map((file) => dirname(file).slice(PACKAGE.length + 5))
    expect(new Set(rooms)).toEqual(new Set([own, 'http', 'http-cache']))
  }
})
