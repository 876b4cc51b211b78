/** What the calls of maps, sets and lists are given: refused as a whole, and by its name. */

import { createList, createMap, createSet } from '@larder/plugins/structures'
import { expect, it } from 'vitest'
import { openStructures, PLACES } from './support/stage.ts'

it.each(PLACES)(
  'refuses arrays with holes, and too long ones before it looks at any item, %s',
  async (place) => {
    const caches = openStructures(place)
    const options = { name: 'h', ttl: '1h' } as const
    const map = createMap<Record<string, number>>(caches, options)
    const set = createSet<number>(caches, options)
    const list = createList<number>(caches, options)
    const calls: Record<string, (items: never[]) => Promise<unknown>> = {
      'map.getMany.fields': (items) => map.getMany('u', items),
      'map.delete.fields': (items) => map.delete('u', items),
      'set.addMany.members': (items) => set.addMany('u', items),
      'set.hasMany.members': (items) => set.hasMany('u', items),
      'set.removeMany.members': (items) => set.removeMany('u', items),
      'list.pushMany.items': (items) => list.pushMany('u', items),
    }
    for (const [option, call] of Object.entries(calls)) {
      const refusal = (text: string) =>
        expect.objectContaining({
          name: 'InvalidOptionError',
          message: expect.stringContaining(text),
        })
      await expect(call(new Array<never>(3))).rejects.toEqual(
        refusal(`${option} takes an array without holes, but got a hole at 0`),
      )
      // Items that would be refused as well, by another message.
      const many = Array.from({ length: 1_001 }, () => null as never)
      await expect(call(many)).rejects.toEqual(
        refusal(`${option}.length takes a whole number from 0 to 1000`),
      )
    }
    expect([await map.count('u'), await set.count('u'), await list.count('u')]).toEqual([0, 0, 0])
  },
)
