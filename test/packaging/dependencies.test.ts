/** Dependencies point one way, nobody reaches into another package, and what is imported is what is declared. */

import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cyclesOf, sourcesOf } from '../../tools/house/sources.mjs'

const ROOT = join(import.meta.dirname, '..', '..')
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: ['reflect-metadata'],
  'local-store': ['@larder/core', 'lru-cache'],
  'redis-store': ['@larder/core', 'msgpackr', 'ioredis'],
  'keyv-store': ['@larder/core'],
  cli: ['@larder/core', '@larder/redis-store', 'ioredis'],
  nest: [
    '@larder/core',
    '@larder/plugins',
    '@nestjs/common',
    '@nestjs/core',
    '@nestjs/microservices',
    '@nestjs/terminus',
    '@nestjs/websockets',
  ],
  plugins: [
    '@fastify/session',
    '@larder/core',
    '@opentelemetry/api',
    'bullmq',
    'express-session',
    'fastify',
    'fastify-plugin',
    'hono',
    'snappy',
  ],
}
describe.each(Object.entries(ALLOWED))('%s', (name, allowed) => {
  const sources = sourcesOf(`packages/${name}/src`)

  it('imports only what it may', () => {
    expect(sources.length).toBeGreaterThan(0)
    const foreign = sources.flatMap(({ file, imports }) =>
      imports
        .filter((target) => !target.startsWith('.') && !target.startsWith('node:'))
        .filter((target) => !allowed.some((ok) => target === ok || target.startsWith(`${ok}/`)))
        .map((target) => `${file} imports ${target}`),
    )
    expect(foreign).toEqual([])
  })

  it('declares what it imports', () => {
    const { dependencies = {}, peerDependencies = {} } = JSON.parse(
      readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8'),
    ) as { dependencies?: object; peerDependencies?: object }
    expect(Object.keys({ ...dependencies, ...peerDependencies }).sort()).toEqual(
      [...allowed].sort(),
    )
  })

  it('does not reach out of its sources, and exports no defaults', () => {
    for (const { file, imports, text } of sources) {
      for (const target of imports.filter((path) => path.startsWith('.'))) {
        const resolved = relative(ROOT, join(ROOT, dirname(file), target))
        expect(resolved.startsWith(join('packages', name, 'src')), `${file} → ${target}`).toBe(true)
      }
      expect(text, file).not.toMatch(/^export default/m)
    }
  })

  it('starts timers in one place, where each says who waits for it', () => {
    const isExempt = (file: string): boolean =>
      file.endsWith('core/src/clock/system-clock.ts') || file.includes('core/src/testing/')
    const bare = sources
      .filter(
        ({ file, text }) => !isExempt(file) && /\bset(?:Timeout|Interval)\(|\.unref\(/.test(text),
      )
      .map(({ file }) => file)
    expect(bare).toEqual([])
  })

  it('has no import cycles, type imports counted', () => {
    expect(cyclesOf(sources)).toEqual([])
  })
})

it('examples use packages by name', () => {
  for (const { file, imports } of sourcesOf('examples')) {
    for (const target of imports) expect(target, file).not.toMatch(/packages\//)
  }
})
