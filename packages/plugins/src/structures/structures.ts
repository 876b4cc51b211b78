/** Maps, sets and lists over a cache manager's store: typed, bounded, and with an end. */

export {
  createList,
  type ItemsOptions,
  type Listed,
  type PushOptions,
  SharedList,
} from './shared-list.ts'
export { createMap, SharedMap, type StructureKey } from './shared-map.ts'
export { createSet, SharedSet } from './shared-set.ts'
export type { Changed } from './structure-calls.ts'
export type { ListOptions, StructureOptions } from './structure-options.ts'
