/**
 * A HyperLogLog of 2^14 registers, as Redis has it, over digests that look random: so no hash is made of them.
 *
 * The estimate is that of O. Ertl, New cardinality estimation algorithms for HyperLogLog sketches (arXiv:1702.01284), algorithm 6, which
 * Redis uses as well: it needs no correction for few or for many.
 */

const REGISTERS = 16_384
/** Bits of a digest that are left for the run of zeros. */
const BITS = 50
const ALPHA = 0.5 / Math.LN2

export class HyperLogLog {
  readonly #registers = new Uint8Array(REGISTERS)

  /** @param digest at least 10 bytes */
  add(digest: Buffer): void {
    const place = digest.readUInt16BE(0) % REGISTERS
    const high = Math.clz32(digest.readUInt32BE(2))
    const zeros = high < 32 ? high : 32 + Math.clz32(digest.readUInt32BE(6))
    const run = Math.min(zeros, BITS) + 1
    if (run > (this.#registers[place] ?? 0)) this.#registers[place] = run
  }

  merge(other: HyperLogLog): void {
    for (const [place, run] of other.#registers.entries())
      if (run > (this.#registers[place] ?? 0)) this.#registers[place] = run
  }

  count(): number {
    const runs = new Array<number>(BITS + 2).fill(0)
    for (const run of this.#registers) runs[run] = (runs[run] ?? 0) + 1
    let sum = REGISTERS * tau(1 - (runs[BITS + 1] ?? 0) / REGISTERS)
    for (let run = BITS; run >= 1; run--) sum = (sum + (runs[run] ?? 0)) / 2
    sum += REGISTERS * sigma((runs[0] ?? 0) / REGISTERS)
    return Math.round((ALPHA * REGISTERS * REGISTERS) / sum)
  }
}

/** Both series are added up until a further term changes nothing. */
function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY
  let [x, weight, sum, before] = [share, 1, share, Number.NaN]
  while (sum !== before) {
    x *= x
    before = sum
    sum += x * weight
    weight *= 2
  }
  return sum
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0
  let [x, weight, sum, before] = [share, 1, 1 - share, Number.NaN]
  while (sum !== before) {
    x = Math.sqrt(x)
    before = sum
    weight /= 2
    sum -= (1 - x) ** 2 * weight
  }
  return sum / 3
}
