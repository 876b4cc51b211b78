/** Dependencies point one way, nobody reaches into another package, and what is imported is what is declared. */

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: ['reflect-metadata'],
  'local-store': ['@larder/core', 'lru-cache'],
  'redis-store': ['@larder/core', 'msgpackr', 'ioredis'],
  plugins: ['@larder/core'],
}
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s*'([^']+)'|\bimport\('([^']+)'\)|(?:^|\n)import '([^']+)'/g

interface Source {
  readonly file: string
  readonly text: string
  readonly imports: readonly string[]
}

function sourcesOf(folder: string): readonly Source[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  return files
    .filter(
      (file) =>
        file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('node_modules'),
    )
    .map((file) => {
      const path = join(folder, file)
      const text = readFileSync(join(ROOT, path), 'utf8')
      const imports = Array.from(text.matchAll(IMPORT), ([, a, b, c]) => a ?? b ?? c ?? '')
      return { file: path, text, imports }
    })
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
      file.endsWith('core/src/clock/start-timer.ts') || file.includes('core/src/testing/')
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

/** Paths that lead back to where they began. */
function cyclesOf(sources: readonly Source[]): readonly string[] {
  const targets = new Map(
    sources.map(({ file, imports }) => [
      file,
      imports.filter((path) => path.startsWith('.')).map((path) => join(dirname(file), path)),
    ]),
  )
  const cycles: string[] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file)
    if (at >= 0) {
      cycles.push([...path.slice(at), file].join(' → '))
      return
    }
    if (done.has(file)) return
    for (const next of targets.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of targets.keys()) visit(file, [])
  return cycles
}

it('examples use packages by name', () => {
  for (const { file, imports } of sourcesOf('examples')) {
    for (const target of imports) expect(target, file).not.toMatch(/packages\//)
  }
})
