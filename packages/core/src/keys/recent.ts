/**
 * Remembers results for recent inputs.
 *
 * Building a key is most of the cost of a local hit: a string that was just built has to be flattened, hashed and compared
 * character by character, every time anew. A remembered string was hashed before, and is found by identity.
 *
 * There are two generations of bounded size: an input that is used moves to the young one, and when that is full, the old one
 * is dropped. So nothing grows without bound, and no order has to be maintained. Where inputs rarely come back, remembering
 * costs more than it saves; then it pauses before it tries again.
 */

const GENERATION = 2_048
/** How many inputs pass during a pause. The cost of a useless attempt is spread over them. */
const REST = 16 * GENERATION

/** The most recent 2048 to 4096 results of a function of one input. */
export class Recent<Input, Made> {
  readonly #make: (input: Input) => Made
  #young = new Map<Input, Made>()
  #old = new Map<Input, Made>()
  /** Inputs remembered since the young generation began. */
  #remembered = 0
  #restLeft = 0

  constructor(make: (input: Input) => Made) {
    this.#make = make
  }

  of(input: Input): Made {
    if (this.#restLeft > 0) {
      this.#restLeft -= 1
      return this.#make(input)
    }
    const known = this.#young.get(input)
    if (known === undefined) return this.#rejuvenate(input)
    this.#remembered += 1
    return known
  }

  #rejuvenate(input: Input): Made {
    let made = this.#old.get(input)
    if (made === undefined) made = this.#make(input)
    else this.#remembered += 1
    if (this.#young.size >= GENERATION) this.#turn()
    this.#young.set(input, made)
    return made
  }

  #turn(): void {
    const isWorthIt = this.#remembered >= GENERATION
    this.#old = isWorthIt ? this.#young : new Map()
    this.#young = new Map()
    this.#remembered = 0
    if (!isWorthIt) this.#restLeft = REST
  }
}
