/** The guard and the filter where there is no HTTP request: messages, gateways, GraphQL. */

import { type CacheManager, RateLimited } from '@larder/core'
import { lruStore } from '@larder/local-store'
import {
  CACHES,
  type HandlerCall,
  LarderExceptionFilter,
  LarderModule,
  LarderRateLimitGuard,
  RateLimit,
} from '@larder/nest'
import {
  Controller,
  Inject,
  Injectable,
  Scope,
  type Type,
  UseFilters,
  UseGuards,
} from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js'
import { Args, GraphQLModule, Query, Resolver } from '@nestjs/graphql'
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius'
import {
  type ClientProxy,
  ClientsModule,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Payload,
  Transport,
} from '@nestjs/microservices'
import { IoAdapter } from '@nestjs/platform-socket.io'
import { Test } from '@nestjs/testing'
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { from, lastValueFrom, type Observable } from 'rxjs'
import { io, type Socket } from 'socket.io-client'
import { expect, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/fresh-namespace.ts'
import { freePort, startApp } from './support/apps.ts'

const larder = (more: object = {}) =>
  LarderModule.forRoot({ namespace: freshNamespace(), local: lruStore(), ...more })

@Injectable()
class Mails {
  @RateLimited({ limit: 1, per: '1h' })
  async send(to: string): Promise<string> {
    return `sent to ${to}`
  }
}

const byPayload = {
  limit: 1,
  per: '1h',
  key: ({ context }: HandlerCall) => context.switchToRpc().getData<{ to: string }>().to,
} as const

@Controller()
class MailController {
  events: string[] = []

  constructor(@Inject(Mails) readonly mails: Mails) {}

  @MessagePattern('guarded')
  @UseGuards(LarderRateLimitGuard)
  @RateLimit(byPayload)
  guarded(@Payload() { to }: { to: string }): string {
    return `to ${to}`
  }

  @MessagePattern('service')
  service(@Payload() { to }: { to: string }): Promise<string> {
    return this.mails.send(to)
  }

  @MessagePattern('observable')
  observable(@Payload() { to }: { to: string }): Observable<string> {
    return from(this.mails.send(to))
  }

  @EventPattern('event')
  @UseGuards(LarderRateLimitGuard)
  @RateLimit(byPayload)
  event(@Payload() { to }: { to: string }): void {
    this.events.push(to)
  }

  @MessagePattern('by-address')
  @UseGuards(LarderRateLimitGuard)
  @RateLimit({ limit: 1, per: '1h' })
  byAddress(): string {
    return 'ok'
  }

  @MessagePattern('permits')
  @UseGuards(LarderRateLimitGuard)
  @RateLimit({ algorithm: 'concurrency', limit: 1, key: () => 'all' })
  permits(): string {
    return 'ok'
  }
}

async function microservice() {
  const port = await freePort()
  const running = await startApp(
    {
      imports: [
        larder(),
        ClientsModule.register([
          { name: 'MAILS', transport: Transport.TCP, options: { host: '127.0.0.1', port } },
        ]),
      ],
      controllers: [MailController],
      providers: [Mails],
    },
    {
      prepare: (app) => {
        app.connectMicroservice<MicroserviceOptions>(
          { transport: Transport.TCP, options: { host: '127.0.0.1', port } },
          { inheritAppConfig: true },
        )
      },
    },
  )
  await running.app.startAllMicroservices()
  const client = running.app.get<ClientProxy>('MAILS')
  onTestFinished(() => client.close())
  const send = (pattern: string, to = 'a') =>
    lastValueFrom(client.send<string>(pattern, { to })).then(
      (answer) => answer,
      (error: unknown) => error,
    )
  return { ...running, client, send }
}

it('a message above the limit of its handler is refused as an RpcException', async () => {
  const { send, client, app } = await microservice()
  expect(await send('guarded')).toBe('to a')
  expect(await send('guarded')).toMatchObject({
    status: 429,
    'violated-policies': ['MailController.guarded'],
    'retry-after': expect.any(Number) as number,
  })
  expect(await send('guarded', 'b')).toBe('to b')
  const controller = app.get(MailController)
  for (const to of ['x', 'x', 'y'])
    await lastValueFrom(client.emit('event', { to }), { defaultValue: 0 })
  await expect.poll(() => controller.events.toSorted()).toEqual(['x', 'y'])
})

it('errors of decorated methods are answers to a message, also those of an Observable', async () => {
  const { send } = await microservice()
  expect(await send('service')).toBe('sent to a')
  expect(await send('service')).toMatchObject({
    status: 429,
    'retry-after': expect.any(Number) as number,
  })
  expect(await send('observable')).toMatchObject({ status: 429 })
})

it('a limit that a message cannot have is an error, and lets nothing pass', async () => {
  const { send, app } = await microservice()
  expect(await send('by-address')).toMatchObject({ message: 'Internal server error' })
  expect(await send('permits')).toMatchObject({ message: 'Internal server error' })
  const limiter = app
    .get<CacheManager>(CACHES)
    .limiter({ name: 'MailController.permits', algorithm: 'concurrency', limit: 1 })
  expect((await limiter.peek('all')).remaining).toBe(1)
})

@WebSocketGateway()
@UseFilters(LarderExceptionFilter)
class Gateway {
  constructor(@Inject(Mails) readonly mails: Mails) {}

  @SubscribeMessage('guarded')
  @UseGuards(LarderRateLimitGuard)
  @RateLimit<Socket>({ limit: 1, per: '1h', key: ({ request }) => `${request.id}` })
  guarded(@MessageBody() body: string) {
    return { event: 'answer', data: body }
  }

  @SubscribeMessage('service')
  async service(@MessageBody() body: string) {
    return { event: 'answer', data: await this.mails.send(body) }
  }
}

it('a gateway refuses above the limit, to its client alone', async () => {
  const { url } = await startApp(
    { imports: [larder()], providers: [Gateway, Mails] },
    { prepare: (app) => app.useWebSocketAdapter(new IoAdapter(app)) },
  )
  const connect = async () => {
    const socket = io(url, { transports: ['websocket'] })
    onTestFinished(() => {
      socket.disconnect()
    })
    await new Promise<void>((resolve) => socket.once('connect', resolve))
    const ask = (event: string) =>
      new Promise<unknown>((resolve) => {
        socket.once('answer', resolve)
        socket.once('exception', resolve)
        socket.emit(event, 'hello')
      })
    return ask
  }
  const [one, two] = [await connect(), await connect()]
  expect(await one('guarded')).toBe('hello')
  expect(await one('guarded')).toMatchObject({
    status: 429,
    'violated-policies': ['Gateway.guarded'],
    'retry-after': expect.any(Number) as number,
  })
  expect(await two('guarded')).toBe('hello')
  expect(await two('service')).toBe('sent to hello')
  expect(await two('service')).toMatchObject({ status: 429 })
})

@Resolver()
class Catalogue {
  constructor(@Inject(Mails) readonly mails: Mails) {}

  @Query(() => String)
  @UseGuards(LarderRateLimitGuard)
  @RateLimit({ limit: 1, per: '1h' })
  byAddress(): string {
    return 'passed'
  }

  @Query(() => String)
  @UseGuards(LarderRateLimitGuard)
  @RateLimit({
    limit: 1,
    per: '1h',
    key: ({ context }) => (context.getArgs<[unknown, { id: string }]>()[1] as { id: string }).id,
  })
  @Reflect.metadata('design:paramtypes', [String])
  byArgument(@Args('id', { type: () => String }) id: string): string {
    return id
  }

  @Query(() => String)
  service(): Promise<string> {
    return this.mails.send('a')
  }
}

@Resolver()
@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  constructor(@Inject(Mails) readonly mails: Mails) {}

  @Query(() => String)
  @UseGuards(LarderRateLimitGuard)
  @RateLimit({ limit: 1, per: '1h', key: () => 'all' })
  scoped(): string {
    return 'passed'
  }
}

async function graphql() {
  const running = await startApp(
    {
      imports: [
        larder(),
        GraphQLModule.forRoot<MercuriusDriverConfig>({
          driver: MercuriusDriver,
          autoSchemaFile: true,
        }),
      ],
      providers: [Catalogue, PerRequest, Mails],
    },
    { platform: 'Fastify' },
  )
  const ask = async (query: string) => {
    const response = await fetch(`${running.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    })
    return (await response.json()) as {
      data: Record<string, unknown> | null
      errors?: readonly { message: string }[]
    }
  }
  return { ...running, ask }
}

it('a field of GraphQL is limited, once for each time that a query asks for it', async () => {
  const { ask } = await graphql()
  expect(await ask('{ byAddress }')).toEqual({ data: { byAddress: 'passed' } })
  expect((await ask('{ byAddress }')).errors?.[0]?.message).toMatch(/quota has been exceeded/)
  const several = await ask(
    '{ a: byArgument(id: "1") b: byArgument(id: "1") c: byArgument(id: "2") }',
  )
  expect(several.errors).toHaveLength(1)
  expect(await ask('{ scoped }')).toEqual({ data: { scoped: 'passed' } })
  expect((await ask('{ scoped }')).errors?.[0]?.message).toMatch(/quota has been exceeded/)
  expect(await ask('{ service }')).toEqual({ data: { service: 'sent to a' } })
  expect((await ask('{ service }')).errors?.[0]?.message).toMatch(/quota has been exceeded/)
})

it('where the context of GraphQL has no request, only a key of something else can count', async () => {
  const { app } = await graphql()
  const guard = app.get(LarderRateLimitGuard)
  /** As of a subscription, whose context has what the application puts there. */
  const asked = (method: 'byAddress' | 'byArgument', args: object) => {
    const context = new ExecutionContextHost(
      [undefined, args, { connection: {} }, {}],
      Catalogue,
      Catalogue.prototype[method],
    )
    context.setType('graphql')
    return guard.canActivate(context)
  }
  await expect(asked('byAddress', {})).rejects.toThrow(
    /@RateLimit\(Catalogue\.byAddress\)\.key takes a function .* kind graphql has no address/,
  )
  expect(await asked('byArgument', { id: '1' })).toBe(true)
  await expect(asked('byArgument', { id: '1' })).rejects.toMatchObject({
    status: 429,
    response: { 'retry-after': expect.any(Number) as number },
  })
})

it('a guard of the application reaches GraphQL; a gateway has to name it', async () => {
  @WebSocketGateway()
  class Open {
    @SubscribeMessage('open')
    @RateLimit<Socket>({ limit: 1, per: '1h', key: ({ request }) => `${request.id}` })
    open(): string {
      return 'passed'
    }
  }
  @Resolver()
  class OpenResolver {
    @Query(() => String)
    @RateLimit({ limit: 1, per: '1h', key: () => 'all' })
    open(): string {
      return 'passed'
    }
  }
  const start = (...providers: readonly Type[]) =>
    startApp(
      {
        imports: [
          larder(),
          GraphQLModule.forRoot<MercuriusDriverConfig>({
            driver: MercuriusDriver,
            autoSchemaFile: true,
          }),
        ],
        providers: [...providers, { provide: APP_GUARD, useClass: LarderRateLimitGuard }],
      },
      { platform: 'Fastify', prepare: (app) => app.useWebSocketAdapter(new IoAdapter(app)) },
    )
  await expect(start(Open, OpenResolver)).rejects.toThrow(/Open\.open.*not count for gateways/)
  const { url } = await start(OpenResolver)
  const query = async () => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ open }' }),
    })
    return response.text()
  }
  expect(await query()).toContain('passed')
  expect(await query()).toContain('quota')
})

@Controller()
class Unguarded {
  @MessagePattern('open')
  @RateLimit({ limit: 1, per: '1h', key: () => 'all' })
  open(): string {
    return 'passed'
  }
}

it('beside HTTP it does not count for messages, in a microservice it does', async () => {
  const parts = () => ({
    imports: [larder()],
    controllers: [Unguarded],
    providers: [{ provide: APP_GUARD, useClass: LarderRateLimitGuard }],
  })
  await expect(startApp(parts())).rejects.toThrow(
    /Unguarded\.open.*not count for gateways and for messages/,
  )
  const port = await freePort()
  const transport = { transport: Transport.TCP, options: { host: '127.0.0.1', port } } as const
  const compiled = await Test.createTestingModule({
    ...parts(),
    imports: [larder(), ClientsModule.register([{ name: 'OWN', ...transport }])],
  }).compile()
  const app = compiled.createNestMicroservice<MicroserviceOptions>({ ...transport, logger: false })
  onTestFinished(() => app.close())
  await app.listen()
  const client = app.get<ClientProxy>('OWN')
  onTestFinished(() => client.close())
  const send = () => lastValueFrom(client.send<string>('open', {})).catch((error: unknown) => error)
  expect(await send()).toBe('passed')
  expect(await send()).toMatchObject({ status: 429 })
})
