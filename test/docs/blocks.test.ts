/** Code blocks of the pages compile. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { blocksOf, GUIDES, PACKAGE_PAGES, REFERENCES, ROOT } from './pages.ts'

const FOLDER = join(import.meta.dirname, 'blocks')
/** Pages that are tests themselves, whole: their blocks compile, and run, there. */
const TESTED = ['docs/guides/testing.md', 'docs/guides/getting-started.md']
/** Pages with blocks that need legacy decorators; test/nest compiles them. */
const LEGACY = ['docs/guides/nest.md', 'packages/nest/README.md']
const PAGES = ['README.md', ...GUIDES, ...REFERENCES, ...PACKAGE_PAGES].filter(
  (page) => ![...TESTED, ...LEGACY].includes(page),
)

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

it('code blocks compile', () => {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(join(FOLDER, 'prelude.ts'), PRELUDE)
  // Peers of examples that nothing here installs.
  writeFileSync(join(FOLDER, 'peers.d.ts'), "declare module '@keyv/postgres'\n")
  const config = {
    extends: '../../../tsconfig.base.json',
    compilerOptions: { noEmit: true, noUnusedLocals: false },
    include: ['*.ts'],
  }
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(config))
  // A block with an ellipsis is an outline, not a program.
  const programs = PAGES.flatMap((page) =>
    blocksOf(page, 'ts')
      .filter((code) => !code.includes('…'))
      .map((code) => ({ page, code })),
  )
  expect(programs.length).toBeGreaterThan(30)
  for (const [i, { page, code }] of programs.entries())
    writeFileSync(
      join(FOLDER, `block-${i}.ts`),
      `// ${page}\n${importsFor(code)}\n${code}\nexport {}\n`,
    )
  expect(compile().replace(/block-(\d+)/g, (_, i) => programs[Number(i)]?.page ?? '')).toBe('')
})

/** What the compiler says. */
function compile(): string {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  try {
    return execFileSync(process.execPath, [tsc, '-p', FOLDER], { encoding: 'utf8' })
  } catch (error) {
    return (error as { stdout?: string }).stdout ?? String(error)
  }
}

function importsFor(code: string): string {
  return NAMES.filter(([name]) => new RegExp(`\\b${name}\\b`).test(code) && !importsIt(code, name))
    .map(([name, from]) => `import { ${name} } from '${from}'`)
    .join('\n')
}

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
  ].map((name) => [name, '@larder/core'] as const),
  ['lruStore', '@larder/local-store'],
  ['adaptiveStore', '@larder/local-store'],
  ['redisStore', '@larder/redis-store'],
  ['msgpackCodec', '@larder/redis-store'],
  ['compression', '@larder/plugins/compression'],
  ['fromKeyv', '@larder/keyv-store'],
  ['AsyncLocalStorage', 'node:async_hooks'],
]

function importsIt(code: string, name: string): boolean {
  return new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\} from`).test(code)
}
