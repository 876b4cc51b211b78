/** What the contract of streams has, by the type of each member; see `contract-shapes.ts`. */

import type { StreamCapabilities, StreamProvider } from '../contracts/stream-provider.ts'
import type { Shape } from './assert-shape.ts'

export const STREAM_CAPABILITIES: Shape<StreamCapabilities> = { shared: 'boolean' }

export const STREAMS: Shape<StreamProvider> = {
  name: 'string',
  capabilities: 'object',
  open: 'function',
  whenTried: 'function?',
  onTrouble: 'function?',
  add: 'function',
  makeGroup: 'function',
  reader: 'function',
  take: 'function',
  keep: 'function',
  settle: 'function',
  marked: 'function',
  deadLetters: 'function',
  replay: 'function',
  discard: 'function',
  forget: 'function',
  leave: 'function',
  status: 'function',
  close: 'function',
}
