import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { onAbort } from './on-abort.ts'

it('has one listener for all who wait, and none when nobody does', () => {
  const { signal } = new AbortController()
  const forget = Array.from({ length: 50 }, () => onAbort(signal, () => undefined))
  expect(getEventListeners(signal, 'abort').length).toBe(1)
  for (const each of forget) each()
  expect(getEventListeners(signal, 'abort').length).toBe(0)
})

it('runs each task once, also the same one twice, and those that were forgotten not at all', () => {
  const controller = new AbortController()
  const ran: string[] = []
  const task = (): void => void ran.push('a')
  onAbort(controller.signal, task)
  onAbort(controller.signal, task)
  const forget = onAbort(controller.signal, () => void ran.push('b'))
  forget()
  forget()
  controller.abort()
  controller.abort()
  expect(ran).toEqual(['a', 'a'])
  onAbort(controller.signal, () => void ran.push('late'))
  expect(ran).toEqual(['a', 'a', 'late'])
})

it('lets a task forget another while they run', () => {
  const controller = new AbortController()
  const ran: string[] = []
  let forget = (): void => undefined
  onAbort(controller.signal, () => forget())
  forget = onAbort(controller.signal, () => void ran.push('forgotten'))
  onAbort(controller.signal, () => void ran.push('last'))
  controller.abort()
  expect(ran).toEqual(['last'])
})
