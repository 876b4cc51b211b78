/** Every error code: what it means and what to do. `docs/reference/errors.md` is kept in step by a test. */

/** Stable codes by name. A code is never reused for another meaning. */
export const ERROR_CODES = {
  LARDER_INVALID_OPTION: {
    meaning: 'An option, argument or decorator target is not what it must be.',
    remedy: 'Change the option named in the message to what it says it takes.',
  },
  LARDER_NOT_CONFIGURED: {
    meaning: 'A decorated method was called before a cache manager existed for it.',
    remedy: 'Call createCacheManager first, or set a manager in @CacheConfig.',
  },
  LARDER_KEY: {
    meaning: 'No key can be made from these arguments.',
    remedy: 'Give the decorator a key function, or pass arguments that can be encoded.',
  },
  LARDER_VALUE: {
    meaning: 'A value would not come back from the cache unchanged.',
    remedy:
      'Register the class as a value type, convert the value with toPlain and fromPlain, or return plain data.',
  },
  LARDER_LOAD_TIMEOUT: {
    meaning: 'A load took longer than loadTimeout or hardTimeout.',
    remedy: 'Raise the timeout, allow staleIfError, or make the loader faster.',
  },
  LARDER_STORE_TIMEOUT: {
    meaning: 'The remote store did not answer within the store timeout.',
    remedy: 'Look at the store; reads go on without it.',
  },
  LARDER_STORE_UNAVAILABLE: {
    meaning: 'The remote store is known to be unreachable, so it was not asked.',
    remedy: 'Look at the store; the breaker probes it again by itself.',
  },
  LARDER_STORE_REFUSED: {
    meaning:
      'The remote store answered, but refuses: it is read-only or full, or a right is missing.',
    remedy: 'Look at the store and the rights of its user; the message contains its answer.',
  },
  LARDER_STORE_SETUP: {
    meaning: 'The remote store cannot be used as it is set up, and waiting does not help.',
    remedy: 'Do what the message says: install a package, or let the bundler leave it out.',
  },
  LARDER_STORE_KEY: {
    meaning: 'The store of a lock or a limit answered that it cannot do this for this key.',
    remedy: 'Look at what is kept under the key; resetting or deleting the key repairs it.',
  },
  LARDER_RECOVERY_QUEUE: {
    meaning: 'An eviction did not reach the remote store and waits in the recovery queue.',
    remedy:
      'Nothing: it is applied on this node and will be run again. Thrown only with onRemoteFailure: "throw".',
  },
  LARDER_UPDATE_CONFLICT: {
    meaning:
      'An update of an entry was tried as often as allowed, and others changed the entry each time.',
    remedy: 'Raise retries, make the callback faster, or spread what is updated over more keys.',
  },
  LARDER_UPDATE_FAILED: {
    meaning:
      'An update of an entry could not be carried out, because of the store or of the value.',
    remedy:
      'Look at the cause. With mayBeDone the replies were lost: read the entry before you update it again.',
  },
  LARDER_CLOSED: {
    meaning: 'The cache manager was closed.',
    remedy: 'Do not use a manager after close().',
  },
  LARDER_LOCK_TIMEOUT: {
    meaning: 'The lock stayed held by another owner for the whole wait.',
    remedy: 'Wait longer, hold the lock for less time, or do something else.',
  },
  LARDER_LOCK_UNAVAILABLE: {
    meaning: 'The lock store cannot be reached, so it is unknown whether the lock is free.',
    remedy: 'Look at the store, or set onUnavailable where exclusion is only an optimisation.',
  },
  LARDER_LOCK_LOST: {
    meaning: 'A lock ended before the work under it did.',
    remedy: 'Assume that other work ran at the same time; use the fence to reject late writes.',
  },
  LARDER_NO_LOCK: {
    meaning: 'currentLock() was called where no lock is held.',
    remedy: 'Call it inside a @WithLock method or the work of locks.run.',
  },
  LARDER_RATE_LIMITED: {
    meaning: 'A limit is used up.',
    remedy: 'Try again after retryAfterMs.',
  },
  LARDER_RATE_LIMIT_UNAVAILABLE: {
    meaning:
      'The limit store cannot decide (it is away, or the key holds something else), and the policy is to refuse then.',
    remedy: 'Look at the store, reset the key, or choose onStoreError: "local" or "open".',
  },
  LARDER_SESSION_UNAVAILABLE: {
    meaning:
      'The store of the sessions cannot be reached, or what is kept of a session cannot be read; it is unknown whether the session stands.',
    remedy:
      'Answer with an error and keep the cookie; look at the cause. Never treat it as a session that has ended.',
  },
  LARDER_BOARD_OPTIONS: {
    meaning:
      'A leaderboard is kept by another `best`, `ties`, `decimals`, `per` or `timeZone` than this process gives; it was not changed.',
    remedy:
      'Give the same options wherever the name is used. For other options take another name, or remove the keys of the board.',
  },
  LARDER_BOARD_UNAVAILABLE: {
    meaning:
      'The store of the leaderboards cannot be reached, or did not answer in time; of a change it is unknown whether it was made.',
    remedy: 'Look at the cause. Submit the score again, unless scores are added up.',
  },
  LARDER_BOARD_RANGE: {
    meaning:
      'A sum of scores would be beyond ±(2^53 - 1), where numbers are no longer exact; it was not changed.',
    remedy: 'Count in a coarser unit, fewer decimals, or by shorter periods.',
  },
  LARDER_MESSAGE_INVALID: {
    meaning:
      'A message of a stream or topic is not what its schema says, cannot be read, or is too large.',
    remedy:
      'Look at issues, or at the cause. A schema must accept messages that older versions sent.',
  },
  LARDER_STREAM_UNAVAILABLE: {
    meaning:
      'The store of the streams cannot be reached, or did not answer in time; of a change it is unknown whether it was made.',
    remedy: 'Look at the cause. Add the message again with the same id.',
  },
  LARDER_TOPIC_UNAVAILABLE: {
    meaning:
      'The store of the topics cannot be reached, or did not answer in time; it is unknown whether the message was published.',
    remedy: 'Look at the cause. Publish again where a message that comes twice does no harm.',
  },
  LARDER_EVENT_STORE_UNAVAILABLE: {
    meaning:
      'The store of the events cannot be reached, did not answer in time, or could not save; of an append it is unknown whether it was made.',
    remedy: 'Look at the cause. Append again with the same id.',
  },
  LARDER_STREAM_CONFLICT: {
    meaning:
      'A stream of events is at another version than an append expected; nothing was appended.',
    remedy: 'Read the stream anew, decide again, and append with the version that was found.',
  },
  LARDER_STRUCTURE_UNAVAILABLE: {
    meaning:
      'The store of the maps, sets and lists cannot be reached, did not answer in time, or holds something that cannot be read; of a change it is unknown whether it was made.',
    remedy: 'Look at the cause. Make the change once more: it does no harm.',
  },
  LARDER_STRUCTURE_FULL: {
    meaning: 'A map or set holds as much as it may, and takes nothing new; nothing was changed.',
    remedy: 'Remove something, raise most, or let the oldest go with whenFull: "drop".',
  },
  LARDER_WRITES_UNAVAILABLE: {
    meaning:
      'The store of the write queues cannot be reached, or did not answer in time; it is unknown whether a write was queued.',
    remedy:
      'Queue the write again, which does no harm unless it is merged; or choose onUnavailable: "write-through".',
  },
  LARDER_WRITE_QUEUE_FULL: {
    meaning: 'As many writes wait in a queue as may; this one was not queued.',
    remedy:
      'Look at why the writer is slower than what is written. Raise maxPending, or choose onFull: "wait" or "write-through".',
  },
  LARDER_WRITES_PENDING: {
    meaning: 'Writes still wait when the time to flush them is over. They stay queued.',
    remedy: 'Give flush more time, or look at the failures of the writer.',
  },
  LARDER_WRITE_NOT_DURABLE: {
    meaning: 'A write is queued, and the disk of the server did not have it in time.',
    remedy: 'Queue it again, or go on: only a crash of the server can lose it.',
  },
  LARDER_WRITE_OUTDATED: {
    meaning: 'A dead letter was not replayed, because a newer write of its key was queued since.',
    remedy: 'Discard it, or replay it with force where it is to count as the newest.',
  },
  LARDER_WRITE_REJECTED: {
    meaning: 'A writer has said that a write will never succeed; it is a dead letter.',
    remedy: 'Look at the dead letter; replay or discard it.',
  },
  LARDER_ENCRYPTION_KEY: {
    meaning:
      'An entry cannot be decrypted, or nothing can be encrypted, with the keys at hand. In events only: no call fails with it.',
    remedy:
      'Look at reason. Give all nodes the same keys, and keep an old one until its last entry has ended.',
  },
} as const

export type ErrorCode = keyof typeof ERROR_CODES
