/** Makes what turns values of sessions and messages, which are not entries of a cache, into bytes. */

import { BoundValues } from '../cache/bound-values.ts'
import type { CacheNode } from '../cache/node.ts'
import { plainCodec } from '../cache/plain-codec.ts'
import { assertSteps } from '../cache/step-order.ts'
import { ValuePipeline } from '../cache/value-pipeline.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'

/** With the codec of the remote store, or without one a codec whose bytes stay in this process. @throws InvalidOptionError */
export function createValues(options: ResolvedManagerOptions, node: CacheNode): BoundValues {
  const { namespace, types, plugins } = options
  const steps = plugins.flatMap((plugin) => plugin.codecSteps ?? [])
  assertSteps(steps)
  return new BoundValues(node.values ?? new ValuePipeline(plainCodec(types), steps, namespace))
}
