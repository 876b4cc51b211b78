/** `@StreamHandler`, with standard and with legacy decorators. */

import { createCacheManager, InvalidOptionError } from '@larder/core'
import { localStreams } from '@larder/local-store'
import {
  createStream,
  type Delivery,
  type Stream,
  StreamHandler,
  startHandlers,
} from '@larder/plugins/messaging'
import { expect, it, onTestFinished, vi } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/fresh-namespace.ts'

const FAST = { retryAfter: 1, maxRetryAfter: 2, maxDeliveries: 1 } as const

function streamOf(name = 'emails'): Stream<string> {
  const caches = createCacheManager({
    namespace: freshNamespace(),
    streams: localStreams(),
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  return createStream<string>(caches, { name })
}

it('handles messages with the instance as this, once it is started', async () => {
  const emails = streamOf()
  class Mailer {
    readonly sent: string[] = []

    @StreamHandler({ stream: emails, group: 'mailer', ...FAST })
    async send(message: string, { id }: Delivery): Promise<void> {
      this.sent.push(`${message} ${id}`)
    }
  }
  await emails.add('a', { id: '1' })
  const idle = new Mailer()
  const mailer = new Mailer()
  const handlers = startHandlers(mailer)
  await handlers.ready()
  await eventually('it is sent', () => mailer.sent.length === 1)
  expect(mailer.sent).toEqual(['a 1'])
  expect(idle.sent).toEqual([])
  expect(handlers.consumers).toHaveLength(1)
  await handlers.close()
  await emails.add('b')
  expect(mailer.sent).toHaveLength(1)
})

it('has a consumer for each method, of the classes it extends too', async () => {
  const emails = streamOf()
  const seen: string[] = []
  class Base {
    @StreamHandler({ stream: () => emails, group: 'one', ...FAST })
    one(message: string): void {
      seen.push(`base one ${message}`)
    }

    @StreamHandler({ stream: emails, group: 'two', ...FAST })
    two(message: string): void {
      seen.push(`base two ${message}`)
    }
  }
  class Derived extends Base {
    override one(message: string): void {
      seen.push(`derived one ${message}`)
    }

    @StreamHandler({ stream: emails, group: 'other-two', ...FAST })
    override two(message: string): void {
      seen.push(`derived two ${message}`)
    }
  }
  const handlers = startHandlers(new Derived())
  await emails.add('a')
  await eventually('both ran', () => seen.length === 2)
  expect(seen.toSorted()).toEqual(['derived one a', 'derived two a'])
  expect(handlers.consumers).toHaveLength(2)
  await handlers.close()
  const base = startHandlers(new Base())
  expect(base.consumers).toHaveLength(2)
  await base.close()
})

it('handles with static methods of a class', async () => {
  const emails = streamOf()
  const seen: string[] = []
  class Mailer {
    @StreamHandler({ stream: emails, group: 'mailer', ...FAST })
    static send(message: string): void {
      seen.push(message)
    }

    readonly isOther = true
  }
  await using handlers = startHandlers(Mailer)
  await emails.add('a')
  await eventually('it ran', () => seen.length === 1)
  expect(handlers.consumers).toHaveLength(1)
})

it('leaves the method callable as it was', async () => {
  const emails = streamOf()
  class Mailer {
    @StreamHandler({ stream: emails, group: 'mailer', ...FAST })
    async send(message: string): Promise<string> {
      return `sent ${message}`
    }
  }
  expect(await new Mailer().send('a')).toBe('sent a')
})

it('starts nothing when one of the consumers cannot be', () => {
  const emails = streamOf()
  class Mailer {
    @StreamHandler({ stream: emails, group: 'mailer', instance: 'pod', ...FAST })
    one(_message: string): void {}

    @StreamHandler({ stream: emails, group: 'mailer', instance: 'pod', ...FAST })
    two(_message: string): void {}
  }
  expect(() => startHandlers(new Mailer())).toThrow(/instance/)
})

it('refuses what it cannot decorate or start', () => {
  const emails = streamOf()
  expect(() => startHandlers({})).toThrow(InvalidOptionError)
  expect(() => startHandlers(null as never)).toThrow(/startHandlers\.instance/)
  expect(() => StreamHandler({ stream: 'emails' as never, group: 'g' })).toThrow(
    /@StreamHandler\.stream/,
  )
  expect(() => StreamHandler({ stream: emails, group: 'no good' })).toThrow(/@StreamHandler\.group/)
  expect(() => StreamHandler({ stream: emails, group: 'g', gruop: 1 } as never)).toThrow(/gruop/)
  const decorate = StreamHandler({ stream: emails, group: 'g' }) as unknown as (
    ...args: unknown[]
  ) => void
  expect(() => decorate(undefined, { kind: 'field', name: 'x' })).toThrow(/a method to decorate/)
  expect(() => decorate({}, 'x', undefined)).toThrow(/a method to decorate/)
  class Late {
    @StreamHandler({ stream: () => undefined as never, group: 'g' })
    send(_message: unknown): void {}
  }
  expect(() => startHandlers(new Late())).toThrow(/@StreamHandler\.stream/)
})

it('starts what another copy of this package decorated, with a stream of a third one', async () => {
  vi.resetModules()
  const other = await import('@larder/plugins/messaging')
  expect(other.StreamHandler).not.toBe(StreamHandler)
  const emails = streamOf()
  const seen: string[] = []
  class Mailer {
    @other.StreamHandler({ stream: emails, group: 'mailer', ...FAST })
    send(message: string): void {
      seen.push(message)
    }
  }
  await emails.add('a')
  const handlers = startHandlers(new Mailer())
  await eventually('it is sent', () => seen.length === 1)
  await handlers.close()
})
