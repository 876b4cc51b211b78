/** A seeded source of randomness: the same seed gives the same sequence on every machine. */
export interface Random {
  readonly seed: number
  /** A number in [0, 1). */
  next(): number
  /** A whole number in [0, below). */
  int(below: number): number
  /** True with the given probability in [0, 1]. */
  chance(probability: number): boolean
  /** One element of a list that isn't empty. */
  pick<T>(list: readonly T[]): T
  /** A shuffled copy. */
  shuffle<T>(list: readonly T[]): T[]
  bytes(length: number): Buffer
}

/**
 * The seed of this run: the environment's `SEED`, else a fresh one. Put it into the test's name.
 *
 * @throws TypeError when `SEED` is not a whole number from 0 to 2³² − 1
 * @example it(`survives any order of evictions (SEED=${seed})`, …)
 */
export function testSeed(env: NodeJS.ProcessEnv = process.env): number {
  const given = env.SEED
  if (given === undefined || given === '') return Math.floor(Math.random() * 2 ** 32)
  const seed = Number(given)
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new TypeError(`SEED must be a whole number from 0 to ${2 ** 32 - 1}, got '${given}'`)
  }
  return seed
}

/** Makes the sequence that belongs to a seed (mulberry32: 32 bits of state, far enough for tests). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (below: number): number => Math.floor(next() * below)
  return {
    seed,
    next,
    int,
    chance: (probability) => next() < probability,
    pick: (list) => pickFrom(list, int),
    shuffle: (list) => shuffled(list, int),
    bytes: (length) => Buffer.from(Array.from({ length }, () => int(256))),
  }
}

/**
 * Runs a random test and, when it fails, says in the error's message which seed replays it.
 *
 * @example await withSeed(async (random) => { expect(decode(random.bytes(40))).toBe(miss) });
 */
export async function withSeed<T>(
  test: (random: Random) => T | Promise<T>,
  seed: number = testSeed(),
): Promise<T> {
  try {
    return await test(randomFrom(seed))
  } catch (error) {
    throw sayingSeed(error, seed)
  }
}

function pickFrom<T>(list: readonly T[], int: Random['int']): T {
  if (list.length === 0) throw new RangeError('Cannot pick from an empty list')
  return list[int(list.length)] as T
}

function shuffled<T>(list: readonly T[], int: Random['int']): T[] {
  const copy = [...list]
  for (let last = copy.length - 1; last > 0; last--) {
    const other = int(last + 1)
    ;[copy[last], copy[other]] = [copy[other] as T, copy[last] as T]
  }
  return copy
}

/** The same error object, so that its class and the runner's diff survive. */
function sayingSeed(error: unknown, seed: number): unknown {
  const hint = `(SEED=${seed} replays this)`
  if (!(error instanceof Error)) return new Error(`${String(error)} ${hint}`, { cause: error })
  error.message = `${error.message} ${hint}`
  // V8 froze the old message into the stack's first line, and runners print the stack.
  if (error.stack !== undefined) error.stack = `${hint} ${error.stack}`
  return error
}
