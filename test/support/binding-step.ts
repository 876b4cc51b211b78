/** A codec step that binds bytes to everything it is told of their entry, and reads them for no other. */

import type { CodecStep, CodecStepContext, Plugin } from '@larder/core/store'

/** A plugin with this one step, which is required. It keeps what it was told. */
export interface BindingPlugin extends Plugin {
  readonly written: CodecStepContext[]
  readonly read: CodecStepContext[]
}

const LENGTH_BYTES = 4

/** `isAsync`: it takes its time. */
export function bindingPlugin(isAsync = false): BindingPlugin {
  const written: CodecStepContext[] = []
  const read: CodecStepContext[] = []
  const later = <Value>(value: Value): Value | Promise<Value> =>
    isAsync ? Promise.resolve().then(() => value) : value
  const step: CodecStep = {
    id: 200,
    name: 'binding',
    required: true,
    encode(bytes, context) {
      written.push(context)
      const bound = Buffer.from(JSON.stringify(context))
      const length = Buffer.alloc(LENGTH_BYTES)
      length.writeUInt32BE(bound.length)
      return later(Buffer.concat([length, bound, bytes]))
    },
    decode(bytes, context) {
      read.push(context)
      const end = LENGTH_BYTES + Buffer.from(bytes).readUInt32BE()
      const bound = Buffer.from(bytes.subarray(LENGTH_BYTES, end)).toString()
      if (bound !== JSON.stringify(context)) {
        throw new Error(`bound to ${bound}, read as ${JSON.stringify(context)}`)
      }
      return later(bytes.subarray(end))
    },
  }
  return { name: 'binding', codecSteps: [step], written, read }
}
