/** What npm and bundlers are told about each package is there, the same everywhere, and true. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BUNDLED } from '../../tools/packages.mjs'

const ROOT = join(import.meta.dirname, '..', '..')
const PACKAGES = join(ROOT, 'packages')
const REPOSITORY = 'https://github.com/larder-cache/larder'

interface Manifest {
  readonly name: string
  readonly description: string
  readonly keywords: readonly string[]
  readonly homepage: string
  readonly bugs: { readonly url: string }
  readonly repository: { readonly type: string; readonly url: string; readonly directory: string }
  readonly license: string
  readonly author: string
  readonly engines: object
  readonly files: readonly string[]
  readonly publishConfig: { readonly access: string }
  readonly sideEffects: false | readonly string[]
}

const manifestAt = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest

describe.each(readdirSync(PACKAGES))('%s', (name) => {
  const folder = join(PACKAGES, name)
  const manifest = manifestAt(folder)

  it('leads back to its source, its page and its issues', () => {
    expect(manifest.repository).toEqual({
      type: 'git',
      url: `git+${REPOSITORY}.git`,
      directory: `packages/${name}`,
    })
    expect(manifest.homepage).toBe(`${REPOSITORY}/tree/main/packages/${name}#readme`)
    expect(manifest.bugs.url).toBe(`${REPOSITORY}/issues`)
  })

  it('can be found, and says on what it runs and under which terms', () => {
    expect(manifest.description).not.toBe('')
    expect(manifest.keywords).toContain('cache')
    expect(new Set(manifest.keywords).size).toBe(manifest.keywords.length)
    expect(manifest).toMatchObject({ license: 'MIT', author: 'The Larder authors' })
    expect(manifest.engines).toEqual((manifestAt(ROOT) as { readonly engines: object }).engines)
    expect(manifest.publishConfig.access).toBe('public')
    for (const file of ['README.md', 'LICENSE']) expect(existsSync(join(folder, file))).toBe(true)
  })

  it('is published with its sources, for source maps, and without its tests', () => {
    expect(manifest.files).toEqual(
      expect.arrayContaining(['dist', 'src', '!src/**/*.test.ts', '!**/.tsbuildinfo']),
    )
  })

  it('names the modules that do something when they are loaded, and no others', () => {
    const doing = sourcesOf(folder)
      .filter((file) => actsWhenLoaded(readFileSync(join(folder, 'src', file), 'utf8')))
      .flatMap((file) => {
        const built = file.replace(/ts$/, 'js')
        const modules = BUNDLED.includes(name)
          ? ['./dist/*.js', './dist/chunks/*.js']
          : [`./dist/${built}`]
        return [...modules, `./dist/cjs/${built}`, `./src/${file}`]
      })
    expect([...(manifest.sideEffects || [])].sort()).toEqual([...new Set(doing)].sort())
  })
})

function sourcesOf(folder: string): readonly string[] {
  return readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
  )
}

/** An import for its effect, a call or an assignment at the outermost level; declarations do nothing that can be missed. */
function actsWhenLoaded(text: string): boolean {
  // What a template literal holds is not code.
  const code = text.replace(/`(?:\\.|[^`\\])*`/gs, '``')
  return /^(?:import '|;?\(|(?!\/\/|import|export|const|let|function|type|class|interface)[\w.[\]]+ ?(?:\(|\??\??= ))/m.test(
    code,
  )
}
