/** What the types of structures say: each field has a type of its own, and a structure has an end. */

import type { CacheManager } from '@larder/core'
import { createList, createMap, createSet, type Listed } from '@larder/plugins/structures'
import { expectTypeOf } from 'vitest'

declare const caches: CacheManager

interface Settings {
  readonly theme: 'dark' | 'light'
  readonly visits: number
}
const settings = createMap<Settings>(caches, { name: 'settings', ttl: '30d' })
expectTypeOf(settings.get('u', 'theme')).toEqualTypeOf<Promise<'dark' | 'light' | undefined>>()
expectTypeOf(settings.getAll('u')).toEqualTypeOf<Promise<Partial<Settings>>>()
expectTypeOf(settings.getMany('u', ['visits'])).toEqualTypeOf<
  Promise<Partial<Pick<Settings, 'visits'>>>
>()
settings.update('u', 'visits', (visits = 0) => visits + 1)
// @ts-expect-error: there is no such field
settings.get('u', 'colour')
// @ts-expect-error: not a value of this field
settings.set('u', { theme: 'blue' })
// @ts-expect-error: not a value of this field, either
settings.update('u', 'visits', () => 'many')
// @ts-expect-error: everything has an end
createMap<Settings>(caches, { name: 'settings' })

const points = createSet<{ readonly x: number }>(caches, { name: 'points', ttl: '1h' })
export const isThere: Promise<boolean> = points.has('a', { x: 1 })
// @ts-expect-error: not a member
points.add('a', 5)

const list = createList<string>(caches, { name: 'viewed', ttl: '1h', most: 20 })
expectTypeOf(list.items('u')).toEqualTypeOf<Promise<readonly Listed<string>[]>>()
// @ts-expect-error: a list that is full drops its oldest item
createList<string>(caches, { name: 'viewed', ttl: '1h', whenFull: 'refuse' })
