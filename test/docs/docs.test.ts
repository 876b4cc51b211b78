/** Docs that cannot drift: code blocks compile, links lead somewhere, the options page is the options. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  CACHE_DEFAULTS,
  CACHE_OPTION_NAMES,
} from '../../packages/core/src/options/cache-options.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const FOLDER = join(import.meta.dirname, 'blocks')
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs/guides')).map((file) => `docs/guides/${file}`),
]

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8')

afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

/** What examples may use without saying where it comes from. */
const PRELUDE = `
import * as larder from '@larder/core'
import * as stores from '@larder/local-store'
import * as redis from '@larder/redis-store'
import * as compressions from '@larder/plugins/compression'
import * as keyvs from '@larder/keyv-store'
declare global {
  interface Product { readonly id: string; readonly shopId: string; readonly price: number }
  class Money { readonly cents: bigint; constructor(cents: bigint) }
  const db: { products: { find(id: string): Promise<Product | undefined>; findMany(ids: string[]): Promise<Product[]>;
    save(product: Product): Promise<Product>; remove(id: string): Promise<void> };
    transaction<Result>(work: (tx: object) => Promise<Result>): Promise<Result> }
  const caches: larder.CacheManager
  type Work<Tx> = <Result>(work: (tx: Tx) => Promise<Result>) => Promise<Result>
  interface ProductUpdate { where: { id: string }; data: { name: string } }
  const prisma: { $transaction: Work<{ product: { update(how: ProductUpdate): Promise<unknown> } }> }
  const dataSource: { transaction: Work<{ update(entity: string, of: object, to: object): Promise<unknown> }> }
  const productTable: { readonly id: object }
  const isProduct: (id: string) => object
  const drizzleDb: { transaction: Work<{ update(table: object): { set(to: object): { where(is: object): Promise<unknown> } } }> }
  const knex: { transaction: Work<(table: string) => { where(of: object): { update(to: object): Promise<unknown> } }> }
  const product: Product
  const products: { find(id: string): Promise<Product | undefined>; rename(tx: object, id: string, name: string): Promise<void> }
  const fetchPrice: (id: string, signal: AbortSignal) => Promise<number>
  const log: { warn(event: unknown): void }
  const url: string
  interface Receipt { readonly orderId: string }
  const bank: { charge(orderId: string, under: { fence: number; signal: AbortSignal }): Promise<Receipt> }
}
export { larder, stores, redis, compressions, keyvs }
`

describe('code blocks', () => {
  it('compile', () => {
    mkdirSync(FOLDER, { recursive: true })
    writeFileSync(join(FOLDER, 'prelude.ts'), PRELUDE)
    // A peer of an example that nothing here installs.
    writeFileSync(join(FOLDER, 'peers.d.ts'), "declare module '@keyv/postgres'\n")
    const config = {
      extends: '../../../tsconfig.base.json',
      compilerOptions: { noEmit: true, noUnusedLocals: false },
      include: ['*.ts'],
    }
    writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(config))
    let count = 0
    for (const page of PAGES) {
      // A block with an ellipsis is an outline, not a program.
      const blocks = Array.from(
        read(page).matchAll(/^```ts\n(.*?)^```/gms),
        ([, code]) => code ?? '',
      )
      // One page is a test itself, whole: its blocks compile there.
      const isTested = page === 'docs/guides/testing.md'
      for (const code of blocks.filter((block) => !isTested && !block.includes('…'))) {
        const imports = NAMES.filter(
          ([name]) => new RegExp(`\\b${name}\\b`).test(code) && !importsIt(code, name),
        )
        const header = imports.map(([name, from]) => `import { ${name} } from '${from}'`).join('\n')
        writeFileSync(
          join(FOLDER, `block-${count}.ts`),
          `// ${page}\n${header}\n${code}\nexport {}\n`,
        )
        count += 1
      }
    }
    expect(count).toBeGreaterThan(3)
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    let output = ''
    try {
      execFileSync(process.execPath, [tsc, '-p', FOLDER], { encoding: 'utf8' })
    } catch (error) {
      output = (error as { stdout?: string }).stdout ?? String(error)
    }
    expect(output).toBe('')
  })
})

const NAMES: readonly (readonly [string, string])[] = [
  ...[
    'createCacheManager',
    'Cacheable',
    'WithLock',
    'currentLock',
    'RateLimited',
    'CacheConfig',
    'CachePut',
    'CacheEvict',
    'cached',
    'skipCache',
    'valueType',
    'describe',
  ].map((name) => [name, '@larder/core'] as const),
  ['lruStore', '@larder/local-store'],
  ['redisStore', '@larder/redis-store'],
  ['msgpackCodec', '@larder/redis-store'],
  ['compression', '@larder/plugins/compression'],
  ['fromKeyv', '@larder/keyv-store'],
  ['AsyncLocalStorage', 'node:async_hooks'],
]

function importsIt(code: string, name: string): boolean {
  return new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\} from`).test(code)
}

describe('links', () => {
  const pages = [
    ...PAGES,
    'CONTRIBUTING.md',
    ...readdirSync(join(ROOT, 'docs/design')).map((file) => `docs/design/${file}`),
    ...readdirSync(join(ROOT, 'docs/reference')).map((file) => `docs/reference/${file}`),
  ]
  it.each(pages)('of %s lead somewhere', (page) => {
    const targets = Array.from(
      read(page).matchAll(/\]\((?!https?:)([^)#\s]+)/g),
      ([, target]) => target ?? '',
    )
    for (const target of targets) {
      expect(existsSync(join(ROOT, dirname(page), target)), `${page} → ${target}`).toBe(true)
    }
  })
})

describe('pages', () => {
  it('the policies page lists the options, with their defaults', () => {
    const rows = Array.from(
      read('docs/guides/policies.md').matchAll(/^\| (`.*?) \|.*\| (.*?) \|$/gm),
    )
    const listed = new Map(
      rows.flatMap(([, names, value]) =>
        Array.from(
          (names ?? '').matchAll(/`(\w+)`/g),
          ([, name]) => [name ?? '', value ?? ''] as const,
        ),
      ),
    )
    expect([...listed.keys()].sort()).toEqual([...CACHE_OPTION_NAMES].sort())
    for (const [name, value] of Object.entries(CACHE_DEFAULTS)) {
      expect(listed.get(name)?.replace(/[`']/g, ''), name).toBe(String(value))
    }
  })

  it("the README's commands exist", () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    for (const [, command] of read('README.md').matchAll(/npm run ([\w:]+)/g)) {
      expect(scripts).toHaveProperty([command ?? ''])
    }
    expect(scripts).toHaveProperty('test')
  })
})
