import { describe, expect, it } from 'vitest'
import { isRedirection, isUnknownScript, isWrongType, withoutCommand } from './redis-error.ts'

describe('errors of the client', () => {
  it('leave without the command and its arguments, which may be values or passwords', () => {
    const last = Object.assign(new Error('WRONGPASS'), { command: { args: ['hunter2'] } })
    const error = Object.assign(new Error('ERR'), {
      command: { name: 'evalsha', args: ['a value'] },
      lastNodeError: last,
    })
    expect(withoutCommand(error)).toBe(error)
    expect(error).not.toHaveProperty('command')
    expect(last).not.toHaveProperty('command')
  })

  it('are told apart by their first word', () => {
    expect(isRedirection(new Error('MOVED 1 127.0.0.1:7000'))).toBe(true)
    expect(isRedirection(new Error('CLUSTERDOWN The cluster is down'))).toBe(true)
    expect(isRedirection(new Error('ERR MOVED 1'))).toBe(false)
    expect(isUnknownScript(new Error('NOSCRIPT No matching script'))).toBe(true)
    expect(isWrongType(new Error('WRONGTYPE Operation against'))).toBe(true)
    expect(isWrongType('WRONGTYPE')).toBe(false)
  })
})
