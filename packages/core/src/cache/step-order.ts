/** Whether the codec steps of a manager fit together. */

import type { CodecStep } from '../contracts/codec.ts'
import { InvalidOptionError } from '../errors/option-error.ts'

/** @throws InvalidOptionError naming the step that does not fit */
export function assertSteps(steps: readonly CodecStep[]): void {
  const byId = new Map<number, CodecStep>()
  for (const step of steps) {
    assertId(step, byId.get(step.id))
    byId.set(step.id, step)
  }
  for (const step of steps) if (step.required === true) assertLast(step, steps)
}

function assertId(step: CodecStep, known: CodecStep | undefined): void {
  const isValid = Number.isInteger(step.id) && step.id >= 1 && step.id <= 255
  if (isValid && known === undefined) return
  throw new InvalidOptionError({
    option: `codec step ${step.name}.id`,
    expected:
      known === undefined
        ? 'a whole number from 1 to 255'
        : `an id other than that of ${known.name}`,
    received: step.id,
  })
}

/** A step after the required one would be the last, and make every entry one that nobody reads. */
function assertLast(step: CodecStep, steps: readonly CodecStep[]): void {
  const option = `codec step ${step.name}.required`
  if (step.encode === undefined) {
    const expected = 'a step that writes: without encode this manager could not read what it writes'
    throw new InvalidOptionError({ option, expected, received: true })
  }
  const other = steps.find((each) => each !== step && each.required === true)
  const writing = steps.filter((each) => each.encode !== undefined)
  const later = writing[writing.indexOf(step) + 1]
  const inTheWay = other ?? later
  if (inTheWay === undefined) return
  throw new InvalidOptionError({
    option,
    expected: `that the step is the last one that writes, so that its plugin comes after that of ${inTheWay.name}`,
    received: true,
    described: other === undefined ? `a step before ${inTheWay.name}` : `two required steps`,
  })
}
