import { setImmediate as turn } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { linkSignals } from './link-signals.ts'

it('warns of no leak when many calls wait under one signal', async () => {
  const warnings: Error[] = []
  const hear = (warning: Error): void => void warnings.push(warning)
  process.on('warning', hear)
  onTestFinished(() => void process.off('warning', hear))
  const request = new AbortController()
  const links = Array.from({ length: 50 }, () =>
    linkSignals(new AbortController().signal, request.signal),
  )
  await turn()
  await turn()
  for (const { unlink } of links) unlink()
  expect(warnings.map(({ name }) => name)).not.toContain('MaxListenersExceededWarning')
})
