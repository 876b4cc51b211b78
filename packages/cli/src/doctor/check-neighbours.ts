import { nearestName } from '@larder/core/store'
import { namespaceOf } from '@larder/redis-store/inspect'
import { counted, countOf } from '../output/units.ts'
import { type Check, ok, warn } from './check.ts'
import type { Examined } from './examined.ts'

const LOOKED_AT = 20_000

/** Which other applications keep keys here, as far as a sample shows. */
export async function checkNeighbours({ inspection, namespace, signal }: Examined): Promise<Check> {
  const namespaces = new Set<string>()
  let others = 0
  let all = 0
  for await (const { items } of inspection.keys('*', { most: LOOKED_AT, signal })) {
    for (const key of items) {
      const found = namespaceOf(key)
      if (found === undefined) others += 1
      else namespaces.add(found)
    }
    all += items.length
  }
  const rest = [...namespaces].filter((name) => name !== namespace)
  const alike = namespaces.has(namespace) ? undefined : nearestName(namespace, rest)
  const found = `${countOf(others)} of ${counted(all, 'key')} looked at are of other applications; ${counted(rest.length, 'other namespace')}`
  if (alike !== undefined) {
    return warn('other keys', {
      found: `${found}; none of ${namespace}, but of ${alike}`,
      why: 'Nodes with different namespaces do not hear each other.',
      fix: `Is ${alike} meant?`,
    })
  }
  return ok('other keys', found)
}
