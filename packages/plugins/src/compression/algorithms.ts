/** The algorithms: their wire ids, and those of node:zlib in both directions, blocking and not. */

import * as zlib from 'node:zlib'

export type Algorithm = 'gzip' | 'brotli' | 'deflate' | 'zstd' | 'snappy'

/** Ids of the codec steps. On the wire: never renumber. */
export const COMPRESSION_STEP_IDS: Readonly<Record<Algorithm, number>> = {
  gzip: 1,
  brotli: 2,
  deflate: 3,
  zstd: 4,
  snappy: 5,
}

export interface Directions {
  compressNow(bytes: Uint8Array, level: number): Buffer
  compress(bytes: Uint8Array, level: number): Promise<Buffer>
  inflateNow(bytes: Uint8Array, maxBytes: number): Buffer
  inflate(bytes: Uint8Array, maxBytes: number): Promise<Buffer>
  /** Absent where there is nothing to choose. */
  readonly levels:
    | { readonly min: number; readonly max: number; readonly default: number }
    | undefined
}

interface Zstd {
  zstdCompressSync(bytes: Uint8Array, options: object): Buffer
  zstdDecompressSync(bytes: Uint8Array, options: object): Buffer
  zstdCompress(bytes: Uint8Array, options: object, done: Done): void
  zstdDecompress(bytes: Uint8Array, options: object, done: Done): void
}

type Done = (error: Error | null, result: Buffer) => void

/** Brotli's own default (11) takes a hundred times longer for a few percent. */
const BROTLI_LEVEL = 4

const zlibDirections = {
  gzip: {
    compressNow: (bytes, level) => zlib.gzipSync(bytes, { level }),
    compress: (bytes, level) => promised((done) => zlib.gzip(bytes, { level }, done)),
    inflateNow: (bytes, maxOutputLength) => zlib.gunzipSync(bytes, { maxOutputLength }),
    inflate: (bytes, maxOutputLength) =>
      promised((done) => zlib.gunzip(bytes, { maxOutputLength }, done)),
    levels: { min: 1, max: 9, default: 6 },
  },
  deflate: {
    compressNow: (bytes, level) => zlib.deflateSync(bytes, { level }),
    compress: (bytes, level) => promised((done) => zlib.deflate(bytes, { level }, done)),
    inflateNow: (bytes, maxOutputLength) => zlib.inflateSync(bytes, { maxOutputLength }),
    inflate: (bytes, maxOutputLength) =>
      promised((done) => zlib.inflate(bytes, { maxOutputLength }, done)),
    levels: { min: 1, max: 9, default: 6 },
  },
  brotli: {
    compressNow: (bytes, level) => zlib.brotliCompressSync(bytes, brotliOptions(bytes, level)),
    compress: (bytes, level) =>
      promised((done) => zlib.brotliCompress(bytes, brotliOptions(bytes, level), done)),
    inflateNow: (bytes, maxOutputLength) => zlib.brotliDecompressSync(bytes, { maxOutputLength }),
    inflate: (bytes, maxOutputLength) =>
      promised((done) => zlib.brotliDecompress(bytes, { maxOutputLength }, done)),
    levels: { min: 0, max: 11, default: BROTLI_LEVEL },
  },
} satisfies Partial<Record<Algorithm, Directions>>

/** The algorithms of this runtime; zstd came to Node in 22.15 and 23.8. */
export const ALGORITHMS: Readonly<Partial<Record<Algorithm, Directions>>> = {
  ...zlibDirections,
  ...('zstdCompressSync' in zlib ? { zstd: zstdDirections(zlib as unknown as Zstd) } : {}),
}

function brotliOptions(bytes: Uint8Array, level: number): zlib.BrotliOptions {
  return {
    params: {
      [zlib.constants.BROTLI_PARAM_QUALITY]: level,
      [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  }
}

function zstdDirections(zstd: Zstd): Directions {
  // ZSTD_c_compressionLevel; by number, as the type declarations of older runtimes do not have it.
  const options = (level: number): object => ({ params: { 100: level } })
  return {
    compressNow: (bytes, level) => zstd.zstdCompressSync(bytes, options(level)),
    compress: (bytes, level) => promised((done) => zstd.zstdCompress(bytes, options(level), done)),
    inflateNow: (bytes, maxOutputLength) => zstd.zstdDecompressSync(bytes, { maxOutputLength }),
    inflate: (bytes, maxOutputLength) =>
      promised((done) => zstd.zstdDecompress(bytes, { maxOutputLength }, done)),
    levels: { min: 1, max: 19, default: 3 },
  }
}

function promised(start: (done: Done) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    start((error, result) => (error === null ? resolve(result) : reject(error)))
  })
}
