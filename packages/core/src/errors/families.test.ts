/** What holds for every error: real errors, told apart by class, name and code. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { BoardOptionsError, BoardRangeError, BoardUnavailableError } from './board-error.ts'
import { ClosedError } from './closed-error.ts'
import { ERROR_CODES } from './codes.ts'
import { EncryptionKeyError } from './encryption-error.ts'
import { EventConflictError, EventStoreUnavailableError } from './event-store-error.ts'
import { KeyError } from './key-error.ts'
import { LarderError } from './larder-error.ts'
import { LoadTimeoutError } from './load-error.ts'
import { LockLostError, LockTimeoutError, LockUnavailableError, NoLockError } from './lock-error.ts'
import { MessageInvalidError } from './message-error.ts'
import { NotConfiguredError } from './not-configured-error.ts'
import { InvalidOptionError } from './option-error.ts'
import { RateLimitedError, RateLimitUnavailableError } from './rate-limit-error.ts'
import { SessionUnavailableError } from './session-error.ts'
import {
  RecoveryQueueError,
  StoreKeyError,
  StoreRefusedError,
  StoreSetupError,
  StoreTimeoutError,
  StoreUnavailableError,
} from './store-error.ts'
import { StreamUnavailableError } from './stream-error.ts'
import { StructureFullError, StructureUnavailableError } from './structure-error.ts'
import { TopicUnavailableError } from './topic-error.ts'
import { UpdateConflictError, UpdateFailedError } from './update-error.ts'
import { ValueError } from './value-error.ts'
import {
  RejectedWriteError,
  WriteNotDurableError,
  WriteOutdatedError,
  WriteQueueFullError,
  WritesPendingError,
  WritesUnavailableError,
} from './write-error.ts'

const page = readFileSync(
  new URL('../../../../docs/reference/errors.md', import.meta.url),
  'utf8',
).replaceAll(/<a id="\w+"><\/a>/g, '')
const cause = new Error('connect ECONNREFUSED redis://user:secret@db')
const limited = {
  policy: '100 per 1m',
  limit: 100,
  remaining: 0,
  retryAfterMs: 250,
  source: 'remote',
}

const families: readonly [name: string, code: string, error: LarderError][] = [
  ['ClosedError', 'LARDER_CLOSED', new ClosedError()],
  [
    'EncryptionKeyError',
    'LARDER_ENCRYPTION_KEY',
    new EncryptionKeyError('unknown-key', 'No key has the id 00000000', cause),
  ],
  [
    'InvalidOptionError',
    'LARDER_INVALID_OPTION',
    new InvalidOptionError({ option: 'a.ttl', expected: 'x', received: 1 }),
  ],
  [
    'EventConflictError',
    'LARDER_STREAM_CONFLICT',
    new EventConflictError({ store: 'accounts', stream: 'acc-1', expected: 2, found: 3 }),
  ],
  [
    'EventStoreUnavailableError',
    'LARDER_EVENT_STORE_UNAVAILABLE',
    new EventStoreUnavailableError(cause),
  ],
  ['TopicUnavailableError', 'LARDER_TOPIC_UNAVAILABLE', new TopicUnavailableError(cause)],
  ['KeyError', 'LARDER_KEY', new KeyError('no key')],
  ['LoadTimeoutError', 'LARDER_LOAD_TIMEOUT', new LoadTimeoutError('p:1', 50)],
  ['LockLostError', 'LARDER_LOCK_LOST', new LockLostError('order:1')],
  ['LockTimeoutError', 'LARDER_LOCK_TIMEOUT', new LockTimeoutError('order:1', 5_000)],
  ['LockUnavailableError', 'LARDER_LOCK_UNAVAILABLE', new LockUnavailableError('order:1', cause)],
  ['NoLockError', 'LARDER_NO_LOCK', new NoLockError()],
  ['NotConfiguredError', 'LARDER_NOT_CONFIGURED', new NotConfiguredError('Products.find')],
  ['RateLimitedError', 'LARDER_RATE_LIMITED', new RateLimitedError('ip:1', limited)],
  [
    'RateLimitUnavailableError',
    'LARDER_RATE_LIMIT_UNAVAILABLE',
    new RateLimitUnavailableError('ip:1', cause),
  ],
  ['RecoveryQueueError', 'LARDER_RECOVERY_QUEUE', new RecoveryQueueError('p:1', cause)],
  ['BoardOptionsError', 'LARDER_BOARD_OPTIONS', new BoardOptionsError()],
  ['BoardUnavailableError', 'LARDER_BOARD_UNAVAILABLE', new BoardUnavailableError(cause)],
  ['WritesUnavailableError', 'LARDER_WRITES_UNAVAILABLE', new WritesUnavailableError(cause)],
  ['WriteQueueFullError', 'LARDER_WRITE_QUEUE_FULL', new WriteQueueFullError('progress', 10)],
  ['WritesPendingError', 'LARDER_WRITES_PENDING', new WritesPendingError('progress', 3)],
  ['WriteNotDurableError', 'LARDER_WRITE_NOT_DURABLE', new WriteNotDurableError('progress', 500)],
  ['WriteOutdatedError', 'LARDER_WRITE_OUTDATED', new WriteOutdatedError('progress', 'k3')],
  ['RejectedWriteError', 'LARDER_WRITE_REJECTED', new RejectedWriteError('no such user')],
  ['BoardRangeError', 'LARDER_BOARD_RANGE', new BoardRangeError('the leaderboard weekly')],
  ['SessionUnavailableError', 'LARDER_SESSION_UNAVAILABLE', new SessionUnavailableError(cause)],
  [
    'MessageInvalidError',
    'LARDER_MESSAGE_INVALID',
    new MessageInvalidError({
      topic: 'emails',
      side: 'send',
      reason: 'schema',
      issues: [{ path: '$.to', message: 'Expected a text, received secret' }],
    }),
  ],
  ['StreamUnavailableError', 'LARDER_STREAM_UNAVAILABLE', new StreamUnavailableError(cause)],
  [
    'StructureUnavailableError',
    'LARDER_STRUCTURE_UNAVAILABLE',
    new StructureUnavailableError(cause),
  ],
  ['StructureFullError', 'LARDER_STRUCTURE_FULL', new StructureFullError('The map cart', 10)],
  ['StoreKeyError', 'LARDER_STORE_KEY', new StoreKeyError('lock', cause)],
  [
    'StoreRefusedError',
    'LARDER_STORE_REFUSED',
    new StoreRefusedError('put', 'full', 'OOM command not allowed', cause),
  ],
  ['StoreSetupError', 'LARDER_STORE_SETUP', new StoreSetupError('Install it.', cause)],
  ['StoreTimeoutError', 'LARDER_STORE_TIMEOUT', new StoreTimeoutError('read', 250)],
  ['StoreUnavailableError', 'LARDER_STORE_UNAVAILABLE', new StoreUnavailableError('read', cause)],
  ['UpdateConflictError', 'LARDER_UPDATE_CONFLICT', new UpdateConflictError('p:1', 21)],
  [
    'UpdateFailedError',
    'LARDER_UPDATE_FAILED',
    new UpdateFailedError('p:1', 'the store did not answer', { mayBeDone: true, cause }),
  ],
  [
    'ValueError',
    'LARDER_VALUE',
    new ValueError('An instance of Money at $.price.', '$.price', 'p:1'),
  ],
]

describe.each(families)('%s', (name, code, error) => {
  it('is a LarderError and an Error with its own name and code', () => {
    expect(error).toBeInstanceOf(LarderError)
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe(name)
    expect(error.code).toBe(code)
    expect(error.message.length).toBeGreaterThan(5)
  })

  it('has its name in the first line of its stack', () => {
    expect(error.stack?.startsWith(`${name}: ${error.message}`)).toBe(true)
  })

  it('stands beside its code in docs/reference/errors.md', () => {
    expect(page).toContain(`| \`${code}\` | \`${name}\` |`)
  })

  it('keeps what the cause says out of its own message', () => {
    expect(error.message).not.toContain('secret')
  })
})

it('every code belongs to exactly one class', () => {
  expect(families.map(([, code]) => code).sort()).toEqual(Object.keys(ERROR_CODES).sort())
})

it('an error carries its key and its cause only if it has them', () => {
  expect(new LockUnavailableError('order:1', cause)).toMatchObject({ key: 'order:1', cause })
  expect('key' in new ClosedError()).toBe(false)
  expect('cause' in new StoreUnavailableError('read')).toBe(false)
})

it('a lost lock carries the result of the work without printing it', () => {
  const error = new LockLostError('order:1', { card: '4111' })
  expect(error.result).toEqual({ card: '4111' })
  expect(Object.keys(error)).not.toContain('result')
  expect('result' in new LockLostError('order:1')).toBe(false)
})

it('a refused call says when to come back', () => {
  expect(new RateLimitedError('ip:1', limited)).toMatchObject({ key: 'ip:1', ...limited })
})
