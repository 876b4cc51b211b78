/** Draws ranks from 0, where rank r is drawn in proportion to 1 / (r + 1)^exponent. */

import type { Random } from '../../../test/support/seed.ts'

export function zipf(random: Random, ranks: number, exponent: number): () => number {
  const upTo = new Float64Array(ranks)
  let total = 0
  for (let rank = 0; rank < ranks; rank++) {
    total += 1 / (rank + 1) ** exponent
    upTo[rank] = total
  }
  return () => {
    const drawn = random.next() * total
    let [low, high] = [0, ranks - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((upTo[middle] ?? 0) < drawn) low = middle + 1
      else high = middle
    }
    return low
  }
}
