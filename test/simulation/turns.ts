/**
 * Lets a script take its turns on the real event loop without leaving anything to the event loop.
 *
 * After every turn of the script all microtasks and ticks run out, so that awaiting code has gone as far as it can. That
 * order is fixed by the language and by Node; what is not fixed is when anything else in the process runs. Hence the
 * batches: immediates that were queued together run one after the other, with nothing but ticks and microtasks between
 * them, so for their duration this simulation has the process to itself and may own `Math.random`, from which the engine
 * draws its jitter.
 */

const TURNS_PER_BATCH = 50

/**
 * Runs a script to its end, one `next()` a turn, with `random` in the place of `Math.random`. `begin` makes the script in
 * the first turn; `onUncaught` hears of what is thrown where nobody catches it, and of rejections that nobody handles.
 */
export function takeTurns<Result>(
  begin: () => Iterator<unknown, Result>,
  random: () => number,
  onUncaught: (error: unknown) => void,
): Promise<Result> {
  process.on('uncaughtException', onUncaught)
  const running = new Promise<Result>((resolve, reject) => {
    let script: Iterator<unknown, Result> | undefined
    let settle: (() => void) | undefined
    const turn = (): void => {
      if (settle !== undefined) return
      try {
        script ??= begin()
        const { done, value } = script.next()
        if (done === true) settle = () => resolve(value)
      } catch (error) {
        settle = () => reject(error)
      }
    }
    const batch = (): void => {
      const real = Math.random
      setImmediate(() => {
        Math.random = random
      })
      for (let i = 0; i < TURNS_PER_BATCH; i++) setImmediate(turn)
      setImmediate(() => {
        Math.random = real
        if (settle === undefined) batch()
        else settle()
      })
    }
    batch()
  })
  return running.finally(() => process.off('uncaughtException', onUncaught))
}
