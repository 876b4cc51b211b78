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
import { assertSnappy, type SnappyModule, snappyDirections } from './snappy.ts'

export { type Algorithm, COMPRESSION_STEP_IDS } from './algorithms.ts'
export type { SnappyModule } from './snappy.ts'

export interface CompressionOptions {
  /** The algorithm for writing. `zstd` needs Node 22.15 or 23.8, `snappy` the package of that name in `snappy`. @default 'brotli' */
  readonly algorithm?: Algorithm | undefined
  /** Smaller payloads are left unchanged. @default '2kb' */
  readonly threshold?: Size | undefined
  /** gzip and deflate 1–9, brotli 0–11, zstd 1–19; snappy has none. @default 6, 4 and 3 */
  readonly level?: number | undefined
  /**
   * The package `snappy` (7.x): `import * as snappy from 'snappy'`. With it entries of `snappy` are read, whatever is written.
   *
   * @default none
   */
  readonly snappy?: SnappyModule | undefined
  /** The largest size that a payload may be decompressed to; a larger one is refused, and the entry is a miss. @default '64mb' */
  readonly maxInflatedBytes?: Size | undefined
  /** Payloads from this size on are compressed off the event loop. @default '32kb' */
  readonly offThread?: Size | undefined
}

const WHERE = 'compression'
/** The defaults. */
export const COMPRESSION_DEFAULTS = {
  algorithm: 'brotli',
  threshold: '2kb',
  maxInflatedBytes: '64mb',
  offThread: '32kb',
} as const satisfies CompressionOptions
const NEEDS =
  "zstd needs Node 22.15 or 23.8: write another one until all nodes have it; snappy needs the package: compression({ algorithm: 'snappy', snappy })"
const NAMES = optionNames<CompressionOptions>({
  algorithm: true,
  threshold: true,
  level: true,
  snappy: true,
  maxInflatedBytes: true,
  offThread: true,
})

/**
 * Creates the plugin. It reads entries written with any algorithm that the runtime has, or that it was given, and entries written without it.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', remote, plugins: [compression({ algorithm: 'gzip' })] })
 */
export function compression(options: CompressionOptions = {}): Plugin {
  assertKnownOptions(options, NAMES, WHERE)
  const { algorithm = COMPRESSION_DEFAULTS.algorithm, level } = options
  assertOneOf(algorithm, Object.keys(COMPRESSION_STEP_IDS), `${WHERE}.algorithm`)
  const known = algorithmsWith(options.snappy)
  const directions = known[algorithm]
  if (directions === undefined) {
    throw new InvalidOptionError({
      option: `${WHERE}.algorithm`,
      expected: `one that is there (${Object.keys(known).join(', ')}; ${NEEDS})`,
      received: algorithm,
    })
  }
  if (level !== undefined) assertLevel(level, algorithm, directions)
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
  const writing = { algorithm, level: level ?? directions.levels?.default ?? 0 }
  return {
    name: WHERE,
    codecSteps: Object.entries(known).map(([name, each]) =>
      codecStep(name as Algorithm, each, writing, sizes),
    ),
  }
}

function algorithmsWith(snappy: SnappyModule | undefined): typeof ALGORITHMS {
  if (snappy === undefined) return ALGORITHMS
  assertSnappy(snappy, `${WHERE}.snappy`)
  return { ...ALGORITHMS, snappy: snappyDirections(snappy) }
}

/** @throws InvalidOptionError */
function assertLevel(level: unknown, algorithm: Algorithm, { levels }: Directions): void {
  const option = `${WHERE}.level`
  if (levels !== undefined) assertInteger(level, option, levels)
  else
    throw new InvalidOptionError({ option, expected: `no level for ${algorithm}`, received: level })
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
