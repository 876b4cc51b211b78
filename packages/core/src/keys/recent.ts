/**
 * Remembers what was made of recent inputs.
 *
 * Building a key is most of what a local hit costs: a string that was just put together has to be flattened, hashed and
 * compared character by character, every time anew. One that is remembered was hashed before, and is found by identity.
 *
 * Two generations of bounded size: what is asked for moves to the young one, and when that is full, the old one is
 * dropped. So nothing grows, and nothing has to be kept in order on the way. Where inputs hardly ever come back,
 * remembering costs more than it saves: then it takes a rest before it tries again.
 */

const GENERATION = 2_048
/** Inputs let pass during a rest; what a vain attempt costs is spread over so many. */
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
