/** What an editor shows over a decorator: a signature of named types, what it does, and one example. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Editor } from './hovers/editor.ts'

const FOLDER = join(import.meta.dirname, 'hovers')
const FILE = join(FOLDER, 'service.ts')
const TEXT = readFileSync(FILE, 'utf8')
const STARTS_IN_MS = 60_000

const SHOWN = {
  '@Cacheable(':
    'Cacheable<[], AnnotateTheResult, [], [], [], []>(options?: CacheableOptions<[], AnnotateTheResult, [], [], [], []> | undefined): AsyncMethodDecorator<[], unknown>',
  '@Cacheable({ key':
    'Cacheable<[id: string], Product | undefined, [], [], [], []>(options?: CacheableOptions<[id: string], Product | undefined, [], [], [], []> | undefined): AsyncMethodDecorator<[id: string], Product | undefined>',
  '@Cacheable({ each':
    'Cacheable<string, Product, [], [], [], [], []>(options: CacheableEachOptions<string, Product, [], [], [], [], []>): EachMethodDecorator<[string], readonly Product[], []>',
  '@CachePut(':
    'CachePut<[changed: Product], AnnotateTheResult, [], [], [], [], []>(options: CachePutOptions<[changed: Product], AnnotateTheResult, [], [], [], [], []>): AsyncMethodDecorator<[changed: Product], unknown>',
  '@CacheEvict(':
    'CacheEvict<[id: string], AnnotateTheResult, [], [], [], [], [], []>(options: CacheEvictOptions<[id: string], AnnotateTheResult, [], [], [], [], [], []>): AsyncMethodDecorator<[id: string], unknown>',
  '@CacheEvict({ when':
    'CacheEvict<[id: string], [], [], []>(options: CacheEvictBeforeOptions<[id: string], [], [], []>): AsyncMethodDecorator<[id: string], unknown>',
  '@WithLock(':
    'WithLock<[id: string], []>(options: WithLockOptions<[id: string], []>): AsyncMethodDecorator<[id: string], unknown>',
  '@RateLimited(':
    'RateLimited<[id: string], [], [], [], never, []>(options: RateLimitedOptions<[id: string], [], [], []> & OnLimit<[], never>): LimitedMethodDecorator<[id: string], never>',
  '@CacheConfig(':
    'CacheConfig(config: ClassConfig): (target: AnyClass, context?: ClassDecoratorContext) => void',
  'createCacheManager(': 'createCacheManager(options: CacheManagerOptions): CacheManager',
  'cached(':
    'cached<Products, "find">(target: Products, name: "find"): MethodEntries<[id: string], Product | undefined>',
} as const

let editor: Editor

beforeAll(async () => {
  editor = new Editor(join(FOLDER, '../../../node_modules/.bin/tsc'))
  await editor.open(FILE, FOLDER)
}, STARTS_IN_MS)

afterAll(() => editor.close())

describe.each(Object.entries(SHOWN))('over %s', (written, signature) => {
  let shown: string

  beforeAll(async () => {
    shown = await editor.hover(FILE, TEXT.indexOf(written) + 1)
  }, STARTS_IN_MS)

  it('stands a signature of named types', () => {
    expect(shown.split('\n')[1]?.replace(/^\(alias\) function /, '')).toBe(signature)
  })

  it('stands an example, whose @ does not begin a tag', () => {
    const tags = [...shown.matchAll(/^\*@(\w+)\*/gm)].map(([, tag]) => tag)
    expect(tags).toContain('example')
    expect(tags.filter((tag) => /^[A-Z]/.test(tag ?? ''))).toEqual([])
  })
})
