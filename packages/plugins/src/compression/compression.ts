/** Compresses payloads for the shared tier: above a threshold, and only when they shrink. */

import { InvalidOptionError, type Size } from '@larder/core'
import {
  assertInteger,
  assertKnownOptions,
  assertOneOf,
  type CodecStep,
  type CodecStepLimits,
  optionNames,
  orDefault,
  type Plugin,
  parseSize,
} from '@larder/core/store'
import { ALGORITHMS, type Algorithm, COMPRESSION_STEP_IDS, type Directions } from './algorithms.ts'

export { type Algorithm, COMPRESSION_STEP_IDS } from './algorithms.ts'

export interface CompressionOptions {
  /** `zstd` needs Node 22.15 or 23.8. @default 'brotli' */
  readonly algorithm?: Algorithm | undefined
  /** Smaller payloads are left unchanged. @default '2kb' */
  readonly threshold?: Size | undefined
  /** gzip and deflate 1–9, brotli 0–11, zstd 1–19. @default 6, 4 and 3 */
  readonly level?: number | undefined
  /** The most a payload may inflate to; more is refused, and the entry is a miss. @default '64mb' */
  readonly maxInflatedBytes?: Size | undefined
  /** Payloads from this size on are compressed off the event loop. @default '32kb' */
  readonly offThread?: Size | undefined
}

const WHERE = 'compression'
/** What holds when nobody says otherwise. */
export const COMPRESSION_DEFAULTS = {
  algorithm: 'brotli',
  threshold: '2kb',
  maxInflatedBytes: '64mb',
  offThread: '32kb',
} as const satisfies CompressionOptions
const NAMES = optionNames<CompressionOptions>({
  algorithm: true,
  threshold: true,
  level: true,
  maxInflatedBytes: true,
  offThread: true,
})

/**
 * Creates the plugin. It reads entries written with any algorithm the runtime has, and entries written without it.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', remote, plugins: [compression({ algorithm: 'gzip' })] })
 */
export function compression(options: CompressionOptions = {}): Plugin {
  assertKnownOptions(options, NAMES, WHERE)
  const { algorithm = COMPRESSION_DEFAULTS.algorithm, level } = options
  assertOneOf(algorithm, Object.keys(COMPRESSION_STEP_IDS), `${WHERE}.algorithm`)
  const directions = ALGORITHMS[algorithm]
  if (directions === undefined) {
    throw new InvalidOptionError({
      option: `${WHERE}.algorithm`,
      expected: `an algorithm of this runtime (${Object.keys(ALGORITHMS).join(', ')}; zstd needs Node 22.15 or 23.8)`,
      received: algorithm,
    })
  }
  if (level !== undefined) assertInteger(level, `${WHERE}.level`, directions.levels)
  const sizes = {
    threshold: parseSize(
      orDefault(options.threshold, COMPRESSION_DEFAULTS.threshold),
      `${WHERE}.threshold`,
      0,
    ),
    offThread: parseSize(
      orDefault(options.offThread, COMPRESSION_DEFAULTS.offThread),
      `${WHERE}.offThread`,
      0,
    ),
    maxInflated: parseSize(
      orDefault(options.maxInflatedBytes, COMPRESSION_DEFAULTS.maxInflatedBytes),
      `${WHERE}.maxInflatedBytes`,
    ),
  }
  const writing = { algorithm, level: level ?? directions.levels.default }
  return {
    name: WHERE,
    codecSteps: Object.entries(ALGORITHMS).map(([name, each]) =>
      codecStep(name as Algorithm, each, writing, sizes),
    ),
  }
}

interface Sizes {
  readonly threshold: number
  readonly offThread: number
  readonly maxInflated: number
}

function codecStep(
  algorithm: Algorithm,
  directions: Directions,
  writing: { readonly algorithm: Algorithm; readonly level: number },
  sizes: Sizes,
): CodecStep {
  return {
    id: COMPRESSION_STEP_IDS[algorithm],
    name: `${WHERE}:${algorithm}`,
    ...(algorithm === writing.algorithm
      ? { encode: (bytes: Uint8Array) => compress(bytes, directions, writing.level, sizes) }
      : {}),
    decode: (bytes, limits) => inflate(bytes, directions, limits, sizes),
  }
}

function compress(
  bytes: Uint8Array,
  directions: Directions,
  level: number,
  sizes: Sizes,
): Uint8Array | undefined | Promise<Uint8Array | undefined> {
  if (bytes.length < sizes.threshold) return undefined
  const ifSmaller = (packed: Buffer): Buffer | undefined =>
    packed.length < bytes.length ? packed : undefined
  return bytes.length < sizes.offThread
    ? ifSmaller(directions.compressNow(bytes, level))
    : directions.compress(bytes, level).then(ifSmaller)
}

function inflate(
  bytes: Uint8Array,
  directions: Directions,
  limits: CodecStepLimits,
  sizes: Sizes,
): Uint8Array | Promise<Uint8Array> {
  const maxBytes = Math.min(sizes.maxInflated, limits.maxBytes)
  return bytes.length < sizes.offThread
    ? directions.inflateNow(bytes, maxBytes)
    : directions.inflate(bytes, maxBytes)
}
